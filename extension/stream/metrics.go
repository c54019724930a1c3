package stream

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"go.k6.io/k6/v2/lib/netext"
	"go.k6.io/k6/v2/lib/netext/httpext"
	"go.k6.io/k6/v2/metrics"
)

// emit gives k6 its http_req_* samples, with k6's own meaning: waiting is the time to the first byte of the headers, and
// receiving all the rest. A request that could not be sent is none.
func (e *exchange) emit() {
	if e.result == invalid || e.state.BuiltinMetrics == nil || e.state.Samples == nil {
		return
	}
	trail := e.trail()
	tags := e.systemTags()
	if expected, isKnown := e.isExpected(); isKnown {
		tags.SetSystemTagOrMetaIfEnabled(e.state.Options.SystemTags, metrics.TagExpectedResponse, strconv.FormatBool(expected))
		trail.SaveSamples(e.state.BuiltinMetrics, &tags)
		trail.Failed.Valid, trail.Failed.Bool = true, !expected
		trail.Samples = append(trail.Samples, metrics.Sample{
			TimeSeries: metrics.TimeSeries{Metric: e.state.BuiltinMetrics.HTTPReqFailed, Tags: tags.Tags},
			Time:       trail.EndTime,
			Metadata:   tags.Metadata,
			Value:      metrics.B(!expected),
		})
	} else {
		trail.SaveSamples(e.state.BuiltinMetrics, &tags)
	}
	metrics.PushIfNotDone(e.vuCtx, e.state.Samples, trail)
}

// isExpected is k6's default: any status from 200 to 399 of a response that came whole. A response that the script did
// not want to the end goes by its status; one that it ended before there was a status is neither good nor bad.
func (e *exchange) isExpected() (expected, isKnown bool) {
	status := 0
	if e.head != nil {
		status = e.head.status
	}
	isGood := status >= 200 && status <= 399
	switch e.result {
	case complete:
		return isGood, true
	case aborted:
		return isGood, status != 0
	}
	return false, true
}

// trail gives the phases of the request.
func (e *exchange) trail() *httpext.Trail {
	t := &e.times
	trail := &httpext.Trail{EndTime: time.Unix(0, t.end), ConnReused: e.reused, ConnRemoteAddr: e.remote}
	between := func(from, to int64) time.Duration {
		if from == 0 || to == 0 {
			return 0
		}
		return time.Duration(max(0, to-from))
	}
	trail.Blocked = between(t.start, t.got)
	trail.Connecting = between(t.connectStart, t.connect)
	trail.TLSHandshaking = between(t.connect, t.tls)
	trail.ConnDuration = trail.Connecting + trail.TLSHandshaking
	trail.Sending = between(t.got, t.written)
	if t.firstResponse != 0 {
		trail.Waiting = between(t.written, t.firstResponse)
		trail.Receiving = between(t.firstResponse, t.end)
	} else {
		trail.Waiting = between(t.written, t.end)
	}
	trail.Duration = trail.Sending + trail.Waiting + trail.Receiving
	return trail
}

func (e *exchange) systemTags() metrics.TagsAndMeta {
	tags := e.tags.Clone()
	enabled := e.state.Options.SystemTags
	set := func(tag metrics.SystemTag, value string) { tags.SetSystemTagOrMetaIfEnabled(enabled, tag, value) }
	name, isNamed := tags.Tags.Get(metrics.TagName.String())
	if !isNamed {
		name = cleanURL(e.spec.url)
		set(metrics.TagName, name)
	}
	set(metrics.TagURL, name)
	set(metrics.TagMethod, e.spec.method)
	status := 0
	if e.head != nil {
		status = e.head.status
		set(metrics.TagProto, e.head.protocol)
	}
	if e.result != complete && e.result != aborted {
		code, words := e.errorCode()
		set(metrics.TagError, words)
		set(metrics.TagErrorCode, strconv.Itoa(code))
		status = 0 // as k6 has it for every request that failed in transport
	} else if status >= 400 {
		set(metrics.TagErrorCode, strconv.Itoa(1000+status))
	}
	set(metrics.TagStatus, strconv.Itoa(status))
	if e.tlsVersion != "" {
		set(metrics.TagTLSVersion, e.tlsVersion)
		set(metrics.TagOCSPStatus, e.tlsOCSP)
	}
	if e.remote != nil && enabled.Has(metrics.TagIP) {
		if ip, _, err := net.SplitHostPort(e.remote.String()); err == nil {
			tags.SetSystemTagOrMeta(metrics.TagIP, ip)
		}
	}
	return tags
}

// errorCode gives k6's code of an error and its words for the tag, which are few: a tag must not vary.
func (e *exchange) errorCode() (int, string) {
	var (
		blockedIP   netext.BlackListedIPError
		blockedName netext.BlockedHostError
	)
	switch e.result {
	case firstByteTimeout, idleTimeout, totalTimeout:
		return 1050, "request timeout"
	case connectTimeout:
		return 1211, "dial: i/o timeout"
	case dnsFailed:
		return 1101, "lookup: no such host"
	case refused:
		return 1212, "dial: connection refused"
	case reset:
		if errors.Is(e.failure, syscall.EPIPE) {
			return 1201, "write: broken pipe"
		}
		return 1220, "read: connection reset by peer"
	case tlsFailed:
		return 1300, "tls handshake failed"
	case connectFailed:
		switch {
		case errors.As(e.failure, &blockedIP):
			return 1110, "ip is blacklisted"
		case errors.As(e.failure, &blockedName):
			return 1111, "hostname is blocked"
		}
		return 1210, "dial failed"
	}
	return 1000, string(e.result)
}

// cleanURL hides what an address may hold of a user's name and password, as k6 does.
func cleanURL(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.User == nil {
		return address
	}
	if _, has := parsed.User.Password(); has {
		parsed.User = url.UserPassword("****", "****")
	} else {
		parsed.User = url.User("****")
	}
	return parsed.String()
}
