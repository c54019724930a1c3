// Package stream is the k6 extension k6/x/stream: HTTP responses that are read while they arrive, with the time at which
// every piece of them arrived. It knows nothing of server-sent events, JSON or models.
//
// A request is an exchange. Its goroutine dials, writes and reads; it never waits for JavaScript. What it reads is cut
// into frames, and gathers until the script takes it. From the socket upwards:
//
//	socket.go, receive_*.go   one socket: each read with its arrival, from the kernel where it gives one
//	records.go                TLS records: the arrival of each record
//	http1.go, body.go         HTTP/1.1, read by a parser that is fed
//	http2.go, http2_tap.go    HTTP/2, by golang.org/x/net/http2; the tap knows the arrival of each DATA frame
//	dial.go, proxy.go         k6's dialer, proxies, TLS
//	pool.go                   connections of one virtual user that wait for the next request
//	frames.go, text.go        bytes to frames; frames to UTF-16 text with offsets
//	exchange.go, transfer.go  one request: its state, and its course
//	watchdog.go, outcome.go   the four timeouts; how an exchange can end
//	metrics.go                k6's http_req_* samples
//	module.go, params.go, handover.go, gate.go   the side of JavaScript
package stream
