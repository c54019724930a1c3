// Package extension registers k6/x/stream with k6: import it for its effect, as xk6 and cmd/k6 do.
package extension

import _ "github.com/k6-realtime/k6-realtime/extension/stream" // registers itself
