package stream

import (
	"context"
	"net/http"
	"sync"

	"go.k6.io/k6/v2/lib"
)

// pool keeps the idle connections of one virtual user. As in k6's own, limits are the options batch and batchPerHost.
type pool struct {
	mu     sync.Mutex
	idle   map[route][]connection
	count  int
	shared map[route][]*http2Conn // connections that carry any number of exchanges, until they fail
	hooked context.Context        //nolint:containedctx // the iteration at whose end everything is closed
}

// get gives an idle connection that is still open, or a new one.
func (p *pool) get(e *exchange, r *route) (conn connection, isReused bool, err error) {
	p.closeWithIteration(e)
	for {
		conn = p.takeIdle(*r)
		if conn == nil {
			break
		}
		if conn.isUsable() {
			e.adopt(conn, true)
			return conn, true, nil
		}
		conn.close()
	}
	if shared := p.takeShared(*r); shared != nil {
		e.adopt(shared, true)
		return shared, true, nil
	}
	conn, err = e.in.dial(e, r)
	if err != nil {
		return nil, false, err
	}
	if shared, ok := conn.(*http2Conn); ok && !e.in.keepsNothing(e.state) {
		p.share(*r, shared)
	}
	e.adopt(conn, false)
	return conn, false, nil
}

func (p *pool) takeIdle(r route) connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[r]
	if len(idle) == 0 {
		return nil
	}
	conn := idle[len(idle)-1] // the youngest
	p.idle[r] = idle[:len(idle)-1]
	p.count--
	return conn
}

func (p *pool) takeShared(r route) *http2Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var taken *http2Conn
	usable := p.shared[r][:0]
	for _, conn := range p.shared[r] {
		switch {
		case conn.isUsable():
			usable = append(usable, conn)
			taken = conn
		case conn.isFull():
			usable = append(usable, conn)
		default:
			conn.retire()
		}
	}
	if len(p.shared) > 0 {
		p.shared[r] = usable
	}
	return taken
}

func (p *pool) share(r route, conn *http2Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared == nil {
		p.shared = make(map[route][]*http2Conn)
	}
	p.shared[r] = append(p.shared[r], conn)
}

// put takes a connection back after an exchange.
func (p *pool) put(r *route, conn connection) {
	if _, isShared := conn.(*http2Conn); isShared {
		return
	}
	p.mu.Lock()
	isTooLate := p.hooked != nil && p.hooked.Err() != nil
	if isTooLate || p.count >= r.maxIdle || len(p.idle[*r]) >= r.maxIdlePerHost {
		p.mu.Unlock()
		conn.close()
		return
	}
	if p.idle == nil {
		p.idle = make(map[route][]connection)
	}
	p.idle[*r] = append(p.idle[*r], conn)
	p.count++
	p.mu.Unlock()
}

// drop closes a connection that can't be used again. A shared one ends with its last exchange.
func (p *pool) drop(conn connection) {
	shared, isShared := conn.(*http2Conn)
	if !isShared {
		conn.close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if shared.isIdle() {
		shared.close()
	}
}

// closeWithIteration honours noVUConnectionReuse: no connection outlives the iteration.
func (p *pool) closeWithIteration(e *exchange) {
	if !e.state.Options.NoVUConnectionReuse.Bool {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hooked == e.vuCtx {
		return
	}
	p.hooked = e.vuCtx
	context.AfterFunc(e.vuCtx, p.closeAll)
}

func (p *pool) closeAll() {
	p.mu.Lock()
	idle, shared := p.idle, p.shared
	p.idle, p.shared, p.count = nil, nil, 0
	p.mu.Unlock()
	for _, conns := range idle {
		for _, conn := range conns {
			conn.close()
		}
	}
	for _, conns := range shared {
		for _, conn := range conns {
			conn.retire()
		}
	}
}

// keepsNothing says that every exchange has a connection of its own (noConnectionReuse).
func (in *instance) keepsNothing(state *lib.State) bool {
	if state.Options.NoConnectionReuse.Bool {
		return true
	}
	transport, ok := state.Transport.(*http.Transport)
	return ok && transport.DisableKeepAlives
}
