package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"go.k6.io/k6/v2/lib/netext"
)

// outcome is how an exchange ended. The words are part of the interface; index.d.ts says what each means.
type outcome string

const (
	complete         outcome = "complete"
	aborted          outcome = "aborted"
	connectTimeout   outcome = "connect_timeout"
	firstByteTimeout outcome = "first_byte_timeout"
	idleTimeout      outcome = "idle_timeout"
	totalTimeout     outcome = "total_timeout"
	refused          outcome = "refused"
	dnsFailed        outcome = "dns_failed"
	tlsFailed        outcome = "tls_failed"
	connectFailed    outcome = "connect_failed"
	reset            outcome = "reset"
	truncated        outcome = "truncated"
	tooLarge         outcome = "too_large"
	interrupted      outcome = "interrupted"
	invalid          outcome = "invalid"
	failed           outcome = "failed"
)

// causes are the words for an end that was decided here and not by the transport.
var causes = map[outcome]error{
	aborted:          errors.New("aborted by the script"),
	connectTimeout:   errors.New("no connection within timeouts.connectMs"),
	firstByteTimeout: errors.New("no byte of the body within timeouts.firstByteMs"),
	idleTimeout:      errors.New("a pause in the body longer than timeouts.idleMs"),
	totalTimeout:     errors.New("not at its end within timeouts.totalMs"),
	interrupted:      errors.New("k6 ended the iteration"),
}

// classifyDial names a failure to get a connection.
func classifyDial(err error, wasResolved bool) outcome {
	var (
		dnsErr      *net.DNSError
		timeout     net.Error
		blockedIP   netext.BlackListedIPError
		blockedName netext.BlockedHostError
	)
	switch {
	case errors.As(err, &blockedIP), errors.As(err, &blockedName):
		return connectFailed
	case errors.As(err, &dnsErr):
		return dnsFailed
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return connectTimeout
	case !wasResolved && strings.HasPrefix(err.Error(), "lookup "):
		return dnsFailed // k6's resolver has no type for a name without an address
	}
	return connectFailed
}

// classifyTransfer names a failure on a connection that stood.
func classifyTransfer(err error) outcome {
	var alert *net.OpError // crypto/tls puts an alert into one
	switch {
	case errors.Is(err, errTooLarge):
		return tooLarge
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return truncated
	case errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"):
		return tlsFailed
	}
	return classifyHTTP2(err)
}

// classifyHTTP2 goes by words: golang.org/x/net and net/http have types of their own for the same errors.
func classifyHTTP2(err error) outcome {
	words := err.Error()
	switch {
	case strings.HasPrefix(words, "stream error: "), strings.HasPrefix(words, "connection error: "),
		strings.HasPrefix(words, "http2: server sent GOAWAY"), strings.HasPrefix(words, "http2: client connection lost"):
		return reset
	}
	return failed
}
