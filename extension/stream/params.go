package stream

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"
	"go.k6.io/k6/v2/metrics"
)

const (
	defaultConnectTimeout = 30 * time.Second
	maxTimeoutMs          = math.MaxInt32
	maxDelimiters         = 16
	maxSafeInteger        = 1<<53 - 1
	minReceiveBuffer      = 1 << 10
	maxReceiveBuffer      = 1 << 30
)

// spec is a request as the script asked for it, checked and copied.
type spec struct {
	url            string
	method         string
	header         http.Header
	body           []byte
	hasBody        bool
	limits         limits
	maxBytes       int64 // negative: none
	receiveBuffer  int   // 0: the system's
	delimiters     [][]byte
	bytesPerSecond float64 // 0: as fast as it comes
	binary         bool
	cookies        bool
}

// mistake is a parameter that can't be used. It becomes a TypeError.
type mistake struct{ what string }

func (m mistake) Error() string { return m.what }

func wrong(name string, value sobek.Value, allowed string) error {
	return mistake{fmt.Sprintf("%s is %s; allowed is %s", name, show(value), allowed)}
}

// show writes a value for a message. It runs nothing of the script's.
func show(value sobek.Value) string {
	const most = 60
	var text string
	switch {
	case value == nil || sobek.IsUndefined(value):
		return "undefined"
	case sobek.IsNull(value):
		return "null"
	}
	switch v := value.(type) {
	case *sobek.Object:
		return "an object (" + v.ClassName() + ")"
	case sobek.String:
		text = fmt.Sprintf("%q", v.String())
	case *sobek.Symbol:
		return "a symbol"
	default:
		text = v.String()
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

func isAbsent(value sobek.Value) bool {
	return value == nil || sobek.IsUndefined(value) || sobek.IsNull(value)
}

// paramReaders has one reader for each name in Params, but tags, which belong to the samples.
var paramReaders = map[string]func(*spec, string, sobek.Value) error{
	"method":             readMethod,
	"headers":            readHeaders,
	"body":               readBody,
	"timeouts":           readTimeouts,
	"maxBytes":           readMaxBytes,
	"receiveBufferBytes": readReceiveBuffer,
	"delimiters":         readDelimiters,
	"readBytesPerSecond": readRate,
	"binary":             func(s *spec, name string, v sobek.Value) error { return readBool(&s.binary, name, v) },
	"cookies":            func(s *spec, name string, v sobek.Value) error { return readBool(&s.cookies, name, v) },
}

// parseSpec reads the arguments of request(). tags are the virtual user's and take up those of the request.
func parseSpec(rt *sobek.Runtime, url, params sobek.Value, tags *metrics.TagsAndMeta) (*spec, error) {
	address, ok := url.(sobek.String)
	if !ok {
		return nil, wrong("url", url, "a string")
	}
	s := &spec{url: address.String(), header: make(http.Header), maxBytes: -1}
	s.limits.connect = defaultConnectTimeout
	if !isAbsent(params) {
		object, ok := plainObject(params)
		if !ok {
			return nil, wrong("params", params, "an object")
		}
		for _, name := range object.Keys() {
			value := object.Get(name)
			if isAbsent(value) {
				continue
			}
			if name == "tags" {
				if err := readTags(rt, tags, value); err != nil {
					return nil, err
				}
				continue
			}
			read, isKnown := paramReaders[name]
			if !isKnown {
				return nil, mistake{fmt.Sprintf("params.%s is not a parameter of request()", name)}
			}
			if err := read(s, "params."+name, value); err != nil {
				return nil, err
			}
		}
	}
	if s.method == "" {
		s.method = http.MethodGet
		if s.hasBody {
			s.method = http.MethodPost
		}
	}
	return s, nil
}

// plainObject refuses what has keys but is no collection of them.
func plainObject(value sobek.Value) (*sobek.Object, bool) {
	object, ok := value.(*sobek.Object)
	if !ok {
		return nil, false
	}
	switch object.ClassName() {
	case "Array", "Function", "ArrayBuffer", "String", "Number", "Boolean", "Date", "RegExp", "Promise", "Error":
		return nil, false
	}
	return object, true
}

func readMethod(s *spec, name string, value sobek.Value) error {
	text, ok := value.(sobek.String)
	if !ok || text.Length() == 0 {
		return wrong(name, value, "an HTTP method")
	}
	s.method = strings.ToUpper(text.String())
	return nil
}

func readHeaders(s *spec, name string, value sobek.Value) error {
	object, ok := plainObject(value)
	if !ok {
		return wrong(name, value, "an object of strings")
	}
	for _, key := range object.Keys() {
		text, isText := primitiveText(object.Get(key))
		if !isText {
			return wrong(name+"."+key, object.Get(key), "a string")
		}
		s.header.Add(key, text)
	}
	return nil
}

// primitiveText accepts a string, and a number or a boolean as JavaScript writes it.
func primitiveText(value sobek.Value) (string, bool) {
	switch value.(type) {
	case nil, *sobek.Object, *sobek.Symbol:
		return "", false
	}
	if isAbsent(value) {
		return "", false
	}
	return value.String(), true
}

func readBody(s *spec, name string, value sobek.Value) error {
	const allowed = "a string, an ArrayBuffer or a Uint8Array"
	s.hasBody = true
	if text, ok := value.(sobek.String); ok {
		s.body = []byte(text.String())
		return nil
	}
	object, ok := value.(*sobek.Object)
	if !ok {
		return wrong(name, value, allowed)
	}
	switch bytes := object.Export().(type) {
	case sobek.ArrayBuffer:
		if bytes.Detached() {
			return mistake{name + " is a detached ArrayBuffer; allowed is " + allowed}
		}
		s.body = append([]byte(nil), bytes.Bytes()...)
	case []byte:
		s.body = append([]byte(nil), bytes...)
	default:
		return wrong(name, value, allowed)
	}
	return nil
}

func readTags(rt *sobek.Runtime, tags *metrics.TagsAndMeta, value sobek.Value) error {
	object, ok := plainObject(value)
	if !ok {
		return wrong("params.tags", value, "an object of strings")
	}
	for _, key := range object.Keys() {
		if _, isText := primitiveText(object.Get(key)); !isText {
			return wrong("params.tags."+key, object.Get(key), "a string, a number or a boolean")
		}
	}
	if err := common.ApplyCustomUserTags(rt, tags, object); err != nil {
		return mistake{"params.tags: " + err.Error()}
	}
	return nil
}

func readTimeouts(s *spec, name string, value sobek.Value) error {
	object, ok := plainObject(value)
	if !ok {
		return wrong(name, value, "an object")
	}
	targets := map[string]*time.Duration{
		"connectMs": &s.limits.connect, "firstByteMs": &s.limits.firstByte,
		"idleMs": &s.limits.idle, "totalMs": &s.limits.total,
	}
	for _, key := range object.Keys() {
		target, isKnown := targets[key]
		if !isKnown {
			return mistake{fmt.Sprintf("%s.%s is not a timeout of request()", name, key)}
		}
		limit := object.Get(key)
		if isAbsent(limit) {
			continue
		}
		ms, isNumber := number(limit)
		if !isNumber || !(ms >= 0 && ms <= maxTimeoutMs) {
			return wrong(name+"."+key, limit, "a number of milliseconds from 0 to 2147483647")
		}
		*target = time.Duration(ms * float64(time.Millisecond))
		if ms > 0 && *target == 0 {
			*target = 1
		}
	}
	return nil
}

// number gives a primitive number's value.
func number(value sobek.Value) (float64, bool) {
	switch n := value.Export().(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func integer(value sobek.Value, least, most float64) (int64, bool) {
	if _, isObject := value.(*sobek.Object); isObject {
		return 0, false
	}
	n, ok := number(value)
	if !ok || !(n >= least && n <= most) || n != math.Trunc(n) {
		return 0, false
	}
	return int64(n), true
}

func readMaxBytes(s *spec, name string, value sobek.Value) error {
	n, ok := integer(value, 1, maxSafeInteger)
	if !ok {
		return wrong(name, value, "a whole number of bytes, 1 or more")
	}
	s.maxBytes = n
	return nil
}

func readReceiveBuffer(s *spec, name string, value sobek.Value) error {
	n, ok := integer(value, minReceiveBuffer, maxReceiveBuffer)
	if !ok {
		return wrong(name, value, "a whole number of bytes from 1024 to 1073741824")
	}
	s.receiveBuffer = int(n)
	return nil
}

func readDelimiters(s *spec, name string, value sobek.Value) error {
	const allowed = "an array of 1 to 16 strings that are not empty"
	object, ok := value.(*sobek.Object)
	if !ok || object.ClassName() != "Array" {
		return wrong(name, value, allowed)
	}
	length, ok := integer(object.Get("length"), 1, maxDelimiters)
	if !ok {
		return mistake{fmt.Sprintf("%s has %s elements; allowed is %s", name, show(object.Get("length")), allowed)}
	}
	for i := range int(length) {
		element := object.Get(fmt.Sprint(i))
		text, isText := element.(sobek.String)
		if !isText || text.Length() == 0 {
			return wrong(fmt.Sprintf("%s[%d]", name, i), element, "a string that is not empty")
		}
		s.delimiters = append(s.delimiters, []byte(text.String()))
	}
	return nil
}

func readRate(s *spec, name string, value sobek.Value) error {
	rate, ok := number(value)
	if _, isObject := value.(*sobek.Object); isObject || !ok || !(rate >= 1 && rate <= maxSafeInteger) {
		return wrong(name, value, "a number of bytes in a second, 1 or more")
	}
	s.bytesPerSecond = rate
	return nil
}

func readBool(target *bool, name string, value sobek.Value) error {
	b, ok := value.Export().(bool)
	if _, isObject := value.(*sobek.Object); isObject || !ok {
		return wrong(name, value, "true or false")
	}
	*target = b
	return nil
}
