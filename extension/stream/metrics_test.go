package stream

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/metrics"
)

// emitted gives the samples of one request, by metric, and the tags that they share.
func (v *virtualUser) emitted() (map[string]float64, map[string]string) {
	v.t.Helper()
	select {
	case container := <-v.samples:
		values := map[string]float64{}
		tags := map[string]string{}
		for _, sample := range container.GetSamples() {
			values[sample.Metric.Name] = sample.Value
			tags = sample.Tags.Map()
		}
		return values, tags
	case <-time.After(5 * time.Second):
		v.t.Fatal("no samples")
		return nil, nil
	}
}

// http_req_waiting is the time to the headers, not to the first event; http_req_receiving is all the rest.
func TestSamplesHaveK6sMeaning(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		time.Sleep(100 * time.Millisecond)
		_, _ = conn.Write([]byte(chunkedHead))
		time.Sleep(300 * time.Millisecond)
		_, _ = conn.Write([]byte(chunk("x") + "0\r\n\r\n"))
	})
	v := newVirtualUser(t)
	r := v.finish(url+"/path", "{ tags: { mine: 1, scenario: 'other' } }")
	require.Equal(t, complete, r.Outcome, r.Error)
	values, tags := v.emitted()
	require.Len(t, values, 9)
	require.Equal(t, 1.0, values[metrics.HTTPReqsName])
	require.Equal(t, 0.0, values[metrics.HTTPReqFailedName])
	require.InDelta(t, 100, values[metrics.HTTPReqWaitingName], 60)
	require.InDelta(t, 300, values[metrics.HTTPReqReceivingName], 60)
	require.InDelta(t, values[metrics.HTTPReqDurationName], values[metrics.HTTPReqWaitingName]+
		values[metrics.HTTPReqReceivingName]+values[metrics.HTTPReqSendingName], 0.01)
	require.Positive(t, values[metrics.HTTPReqConnectingName])
	require.GreaterOrEqual(t, values[metrics.HTTPReqBlockedName], values[metrics.HTTPReqConnectingName])
	require.Zero(t, values[metrics.HTTPReqTLSHandshakingName])
	require.Equal(t, map[string]string{
		"mine": "1", "scenario": "other", "method": "GET", "status": "200", "name": url + "/path", "url": url + "/path",
		"proto": "HTTP/1.1", "expected_response": "true",
	}, tags)
}

func TestSamplesOfFailures(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	failing := map[string]string{"expected_response": "false", "status": "0", "method": "GET", "scenario": "test"}
	cases := []struct {
		url, params string
		tags        map[string]string
	}{
		{"http://127.0.0.1:1/", "{}", map[string]string{"error_code": "1212", "error": "dial: connection refused"}},
		{"http://nowhere.test/", "{}", map[string]string{"error_code": "1101", "error": "lookup: no such host"}},
		{answer(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"), "{}", map[string]string{"error_code": "1000", "error": "truncated"}},
		{answer(t, "HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\na"), "{}", map[string]string{"error_code": "1500", "status": "500"}},
	}
	for _, c := range cases {
		v.finish(c.url, c.params)
		values, tags := v.emitted()
		require.Equal(t, 1.0, values[metrics.HTTPReqFailedName], c.url)
		for name, want := range failing {
			if _, has := c.tags[name]; !has {
				c.tags[name] = want
			}
		}
		for name, want := range c.tags {
			require.Equal(t, want, tags[name], "%s of %s", name, c.url)
		}
	}
}

// What the script ended is no failure; what it ended before there was a status is neither.
func TestSamplesOfAborts(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead + chunk("a")))
		readRequest(requests)
	})
	v := newVirtualUser(t)
	v.iterate(fmt.Sprintf("const x = request(%q); await x.read(); x.abort(); await x.finish();", url))
	values, tags := v.emitted()
	require.Equal(t, 0.0, values[metrics.HTTPReqFailedName])
	require.Equal(t, "200", tags["status"])
	require.NotContains(t, tags, "error")

	v.iterate(fmt.Sprintf("const x = request(%q); x.abort(); await x.finish();", url))
	values, _ = v.emitted()
	require.NotContains(t, values, metrics.HTTPReqFailedName)
	require.Equal(t, 1.0, values[metrics.HTTPReqsName])

	v.finish("nonsense", "{}")
	require.Empty(t, v.samples, "a request that could not be sent is none")
}

func TestTheNameHidesSecrets(t *testing.T) {
	t.Parallel()
	require.Equal(t, "http://a.test/x?y", cleanURL("http://a.test/x?y"))
	require.NotContains(t, cleanURL("http://me:secret@a.test/"), "secret")
}
