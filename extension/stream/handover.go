package stream

import (
	"maps"
	"slices"
	"strings"
	"unsafe"

	"github.com/grafana/sobek"
)

// exchangeObject is what request() gives a script: an object with four methods, which it shares with all others of its
// virtual user.
type exchangeObject struct{ e *exchange }

func (o *exchangeObject) Get(key string) sobek.Value   { return o.e.in.methods[key] }
func (o *exchangeObject) Set(string, sobek.Value) bool { return false }
func (o *exchangeObject) Has(key string) bool          { return o.e.in.methods[key] != nil }
func (o *exchangeObject) Delete(string) bool           { return false }
func (o *exchangeObject) Keys() []string               { return []string{"headers", "read", "finish", "abort"} }

func exchangeMethods(rt *sobek.Runtime) map[string]sobek.Value {
	methods := make(map[string]sobek.Value)
	for name, method := range map[string]func(*exchange, *sobek.Runtime) sobek.Value{
		"headers": (*exchange).askHeaders,
		"read":    (*exchange).askRead,
		"finish":  (*exchange).askFinish,
		"abort": func(e *exchange, _ *sobek.Runtime) sobek.Value {
			e.stop(aborted)
			return sobek.Undefined()
		},
	} {
		methods[name] = rt.ToValue(func(call sobek.FunctionCall) sobek.Value {
			if object, ok := call.This.(*sobek.Object); ok {
				if self, ok := object.Export().(*exchangeObject); ok {
					return method(self.e, rt)
				}
			}
			panic(rt.NewTypeError(name + "() was called on something that is not an Exchange"))
		})
	}
	return methods
}

// askHeaders is headers().
func (e *exchange) askHeaders(rt *sobek.Runtime) sobek.Value {
	promise, resolve, _ := rt.NewPromise()
	e.mu.Lock()
	isHere := e.head != nil || e.over
	e.mu.Unlock()
	if isHere || e.script.ended {
		_ = resolve(e.headObject(rt.NewObject()))
		return rt.ToValue(promise)
	}
	e.script.heads = append(e.script.heads, resolve)
	e.arm()
	return rt.ToValue(promise)
}

// askRead is read().
func (e *exchange) askRead(rt *sobek.Runtime) sobek.Value {
	promise, resolve, _ := rt.NewPromise()
	if len(e.script.batches) == 0 {
		if taken, isOver := e.takeFrames(); len(taken.frames) > 0 {
			_ = resolve(e.batchObject(rt.NewObject(), taken))
			return rt.ToValue(promise)
		} else if isOver {
			_ = resolve(sobek.Null())
			return rt.ToValue(promise)
		}
	}
	e.script.batches = append(e.script.batches, resolve)
	e.arm()
	return rt.ToValue(promise)
}

// askFinish is finish(). Whoever asks again gets the same answer.
func (e *exchange) askFinish(rt *sobek.Runtime) sobek.Value {
	if e.script.reply != nil {
		return rt.ToValue(e.script.reply)
	}
	promise, resolve, _ := rt.NewPromise()
	e.script.reply = promise
	if e.script.ended {
		_ = resolve(e.replyObject())
	} else {
		e.script.finish = resolve
	}
	return rt.ToValue(promise)
}

// arm leaves a way to wake the script, where there is none.
func (e *exchange) arm() {
	e.mu.Lock()
	isArmed := e.armed != nil
	e.wantHead, e.wantData = len(e.script.heads) > 0, len(e.script.batches) > 0
	e.mu.Unlock()
	if isArmed {
		return
	}
	callback := e.in.vu.RegisterCallback()
	e.mu.Lock()
	e.armed = callback
	wake := e.wakeLocked() // it may have come in the meantime
	e.mu.Unlock()
	if wake != nil {
		wake(e.deliver)
	}
}

// deliver runs on the event loop when something that the script waits for may be here.
func (e *exchange) deliver() error {
	return scripts.run(e.vuCtx, e.answer)
}

// answer resolves what can be resolved, and waits on for the rest.
func (e *exchange) answer() error {
	rt := e.in.vu.Runtime()
	e.mu.Lock()
	isOver, hasHead := e.over, e.head != nil
	e.mu.Unlock()
	if hasHead || isOver {
		heads := e.script.heads
		e.script.heads = nil
		for _, resolve := range heads {
			if err := resolve(e.headObject(rt.NewObject())); err != nil {
				return err
			}
		}
	}
	for len(e.script.batches) > 0 {
		taken, isOver := e.takeFrames()
		value := sobek.Null()
		if len(taken.frames) > 0 {
			value = e.batchObject(rt.NewObject(), taken)
		} else if !isOver {
			break
		}
		resolve := e.script.batches[0]
		e.script.batches = e.script.batches[1:]
		if err := resolve(value); err != nil {
			return err
		}
	}
	if len(e.script.heads) > 0 || len(e.script.batches) > 0 {
		e.arm()
	}
	return nil
}

// settle runs on the event loop, once, when the exchange is over.
func (e *exchange) settle() error {
	if e.script.finish == nil && len(e.script.heads) == 0 && len(e.script.batches) == 0 {
		e.script.ended = true
		return nil
	}
	return scripts.run(e.vuCtx, func() error {
		if err := e.answer(); err != nil {
			return err
		}
		e.script.ended = true
		if resolve := e.script.finish; resolve != nil {
			e.script.finish = nil
			return resolve(e.replyObject())
		}
		return nil
	})
}

// takeFrames takes all whole frames that have not been given.
func (e *exchange) takeFrames() (taken piece, isOver bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.framer.isEmpty() {
		return piece{}, e.over
	}
	spare := e.spare
	if spare.bytes == nil {
		spare = takeStorage()
	}
	e.spare = piece{}
	return e.framer.take(spare), e.over
}

// giveBack returns the storage of what has been handed over.
func (e *exchange) giveBack(used piece) {
	e.mu.Lock()
	isOver := e.over
	if !isOver && e.spare.bytes == nil && cap(used.bytes) <= maxKeptBytes && cap(used.frames) <= maxKeptFrames {
		e.spare = used
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	putStorage(used)
}

// headObject sets a Head's properties.
func (e *exchange) headObject(object *sobek.Object) *sobek.Object {
	rt := e.in.vu.Runtime()
	e.mu.Lock()
	h := e.head
	e.mu.Unlock()
	headers := rt.NewObject()
	status, protocol := 0, ""
	if h != nil {
		status, protocol = h.status, h.protocol
		for _, name := range slices.Sorted(maps.Keys(h.header)) {
			set(headers, strings.ToLower(name), strings.Join(h.header[name], ", "))
		}
	}
	set(object, "status", status)
	set(object, "headers", headers)
	set(object, "protocol", protocol)
	return object
}

// batchObject sets a Batch's properties, and gives the piece's storage back.
func (e *exchange) batchObject(object *sobek.Object, taken piece) *sobek.Object {
	rt := e.in.vu.Runtime()
	n := len(taken.frames)
	numbers := make([]float64, 4*n)
	ends, at, after, wait := numbers[:n], numbers[n:2*n], numbers[2*n:3*n], numbers[3*n:]
	for i, f := range taken.frames {
		ends[i] = float64(f.end)
		at[i] = milliseconds(f.at)
		after[i] = at[i]
		if f.after != f.at {
			after[i] = milliseconds(f.after)
		}
		wait[i] = float64(f.wake-f.at) / 1e6
	}
	switch {
	case e.spec.binary:
		set(object, "text", "")
		set(object, "bytes", rt.NewArrayBuffer(append([]byte(nil), taken.bytes...)))
	case isASCII(taken.bytes):
		set(object, "text", string(taken.bytes))
	default:
		set(object, "text", sobek.StringFromUTF16(decodeUTF8(taken.bytes, taken.frames, ends)))
	}
	set(object, "ends", floats(rt, ends))
	set(object, "atMs", floats(rt, at))
	set(object, "afterMs", floats(rt, after))
	set(object, "waitMs", floats(rt, wait))
	e.giveBack(taken)
	return object
}

// floats hands numbers over without copying them. Nobody else may keep them.
func floats(rt *sobek.Runtime, numbers []float64) sobek.ArrayBuffer {
	if len(numbers) == 0 {
		return rt.NewArrayBuffer(nil)
	}
	return rt.NewArrayBuffer(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), 8*len(numbers)))
}

// replyObject builds the Reply. The exchange is over: its goroutine writes nothing any more.
func (e *exchange) replyObject() *sobek.Object {
	rt := e.in.vu.Runtime()
	taken, _ := e.takeFrames()
	object := e.batchObject(e.headObject(rt.NewObject()), taken)
	words, remote := "", ""
	if e.failure != nil {
		words = e.failure.Error()
	}
	if e.remote != nil {
		remote = e.remote.String()
	}
	set(object, "outcome", string(e.result))
	set(object, "error", words)
	set(object, "attempts", e.attempts)
	set(object, "reused", e.reused)
	set(object, "remoteAddress", remote)
	set(object, "stamps", e.stamps)
	set(object, "bytesReceived", e.received)
	for _, instant := range []struct {
		name string
		ns   int64
	}{
		{"startMs", e.times.start}, {"dnsMs", e.times.dns}, {"connectMs", e.times.connect}, {"tlsMs", e.times.tls},
		{"writtenMs", e.times.writtenBy()}, {"headersMs", e.times.headers}, {"firstByteMs", e.times.firstByte},
		{"endMs", e.times.end},
	} {
		if instant.ns == 0 {
			set(object, instant.name, sobek.NaN())
		} else {
			set(object, instant.name, milliseconds(instant.ns))
		}
	}
	set(object, "withheldMs", float64(e.withheld)/1e6)
	set(object, "frames", e.framer.total)
	set(object, "merged", e.framer.merged)
	return object
}

// set gives a fresh object a property, which can't fail.
func set(object *sobek.Object, name string, value any) { _ = object.Set(name, value) }
