package stream

import (
	"errors"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"
	"go.k6.io/k6/v2/js/modules"
)

func init() { modules.Register("k6/x/stream", New()) }

// Module is k6/x/stream.
type Module struct{}

// New gives the module for k6 to instantiate.
func New() *Module { return &Module{} }

// instance is the module in one virtual user.
type instance struct {
	vu      modules.VU
	pool    *pool
	methods map[string]sobek.Value // of an Exchange, made once
}

// NewModuleInstance is called once for each virtual user.
func (*Module) NewModuleInstance(vu modules.VU) modules.Instance {
	return newInstance(vu)
}

func newInstance(vu modules.VU) *instance {
	in := &instance{vu: vu, pool: &pool{}}
	in.methods = exchangeMethods(vu.Runtime())
	return in
}

// Exports names what a script can import.
func (in *instance) Exports() modules.Exports {
	return modules.Exports{Named: map[string]any{"request": in.request}}
}

var errInitContext = common.NewInitContextError("request() of k6/x/stream can't be called in the init context")

// request is request(url, params).
func (in *instance) request(call sobek.FunctionCall) sobek.Value {
	rt := in.vu.Runtime()
	state := in.vu.State()
	if state == nil {
		common.Throw(rt, errInitContext)
	}
	tags := state.Tags.GetCurrentValues()
	spec, err := parseSpec(rt, call.Argument(0), call.Argument(1), &tags)
	if err != nil {
		var wrong mistake
		if errors.As(err, &wrong) {
			panic(rt.NewTypeError(wrong.what))
		}
		common.Throw(rt, err)
	}
	e := in.start(state, spec, tags)
	readNow()
	return rt.NewDynamicObject(&exchangeObject{e})
}

var (
	_ modules.Module   = (*Module)(nil)
	_ modules.Instance = (*instance)(nil)
)
