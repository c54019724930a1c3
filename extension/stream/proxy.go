package stream

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/net/proxy"
)

// proxyForm writes requests that a proxy passes on.
type proxyForm struct{ authorization string }

func (p *proxyForm) write(req *http.Request, to *bytes.Buffer) error {
	if p.authorization != "" {
		passed := *req
		passed.Header = req.Header.Clone()
		passed.Header.Set("Proxy-Authorization", p.authorization)
		req = &passed
	}
	return req.WriteProxy(to)
}

// dialProxied connects through a proxy: HTTP, HTTPS or SOCKS5.
func (in *instance) dialProxied(e *exchange, r *route) (connection, error) {
	via, err := url.Parse(r.proxy)
	if err != nil {
		return nil, err
	}
	port := via.Port()
	if port == "" {
		port = defaultPort(via.Scheme)
	}
	conn, err := e.dialTCP(net.JoinHostPort(via.Hostname(), port), r.receiveBuffer)
	if err != nil {
		return nil, err
	}
	switch via.Scheme {
	case "socks5", "socks5h":
		if err := e.throughSOCKS(conn, via, r.address); err != nil {
			return nil, err
		}
		if r.scheme == "https" {
			return in.secure(e, r, newSocket(conn))
		}
		return newPlainConn(conn), nil
	case "http":
		return in.throughHTTP(e, r, conn, via)
	case "https":
		s := newSocket(conn)
		outer, records, err := e.handshake(s, via.Hostname(), nil)
		if err != nil {
			return nil, err
		}
		if r.scheme == "http" {
			source := &tlsStream{conn: outer, records: records}
			return &http1Conn{socket: s, tls: outer, source: source, proxied: newProxyForm(via)}, nil
		}
		return in.throughHTTP(e, r, outer, via) // TLS within TLS: stamps from user space
	}
	_ = conn.Close()
	return nil, fmt.Errorf("proxy: unknown scheme %q", via.Scheme)
}

func newProxyForm(via *url.URL) *proxyForm {
	if via.User == nil {
		return &proxyForm{}
	}
	password, _ := via.User.Password()
	pair := via.User.Username() + ":" + password
	return &proxyForm{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}
}

// throughHTTP lets a proxy pass http requests on, and build a tunnel for https.
func (in *instance) throughHTTP(e *exchange, r *route, conn net.Conn, via *url.URL) (connection, error) {
	form := newProxyForm(via)
	if r.scheme == "http" {
		plain := newPlainConn(conn)
		plain.proxied = form
		return plain, nil
	}
	if err := e.connectThrough(conn, r.address, form.authorization); err != nil {
		_ = conn.Close()
		return nil, dialError{connectFailed, err}
	}
	return in.secure(e, r, newSocket(conn))
}

// connectThrough asks a proxy for a tunnel.
func (e *exchange) connectThrough(conn net.Conn, address, authorization string) error {
	stop := context.AfterFunc(e.ctx, func() { _ = conn.SetDeadline(longAgo) })
	defer stop()
	req := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: make(http.Header),
	}
	if agent := e.state.Options.UserAgent.String; agent != "" {
		req.Header.Set("User-Agent", agent)
	}
	if authorization != "" {
		req.Header.Set("Proxy-Authorization", authorization)
	}
	if err := req.Write(conn); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	response, err := readResponse(conn, req)
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("proxy: %s", response.Status)
	}
	return nil
}

// throughSOCKS makes a SOCKS5 proxy connect to an address. It closes the connection if that fails.
func (e *exchange) throughSOCKS(conn net.Conn, via *url.URL, address string) error {
	var auth *proxy.Auth
	if user := via.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", via.Host, auth, nil)
	if err == nil {
		over, ok := dialer.(interface {
			DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
		})
		if !ok {
			err = fmt.Errorf("proxy: SOCKS5 can't use a connection")
		} else {
			_, err = over.DialWithConn(e.ctx, conn, "tcp", address)
		}
	}
	if err != nil {
		_ = conn.Close()
		return dialError{connectFailed, fmt.Errorf("proxy: %w", err)}
	}
	return nil
}
