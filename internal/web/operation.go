package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weirhq/weir/engine"
)

// Operation runs one verb: a JSON document in, a document out. By is the
// person who asks.
type Operation func(ctx context.Context, e *engine.Engine, by string, in json.RawMessage) (any, error)

// operation adapts a typed function.
func operation[In, Out any](fn func(ctx context.Context, e *engine.Engine, by string, in In) (Out, error)) Operation {
	return func(ctx context.Context, e *engine.Engine, by string, raw json.RawMessage) (any, error) {
		var in In
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInput, err)
		}
		out, err := fn(ctx, e, by, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// ErrInput is wrapped when an operation's document cannot be read.
var ErrInput = errors.New("malformed input")

// Operations is the table of everything that a person or a program may ask of
// an engine, by name.
func Operations() map[string]Operation {
	return map[string]Operation{
		"ping":         operation(ping),
		"submit":       operation(submit),
		"verify":       operation(verify),
		"requests":     operation(requests),
		"status":       operation(status),
		"plan":         operation(plan),
		"replan":       operation(replan),
		"approve":      operation(approve),
		"urgent":       operation(urgent),
		"reject":       operation(reject),
		"cancel":       operation(cancel),
		"why":          operation(why),
		"events":       operation(events),
		"history":      operation(history),
		"letters":      operation(letters),
		"letter":       operation(letter),
		"retry":        operation(retry),
		"resolve":      operation(resolve),
		"limits":       operation(limits),
		"forecast":     operation(forecast),
		"test-org":     operation(testOrg),
		"audit-verify": operation(auditVerify),
		"checkpoint":   operation(checkpoint),
		"audit-export": operation(auditExport),
		"certificate":  operation(certificate),
		"package":      operation(accessPackage),
		"totals":       operation(totals),
		"keys":         operation(keys),
		"keys-rotate":  operation(rotateKeys),
		"keys-rewrap":  operation(rewrapKeys),
		"keys-destroy": operation(destroyKEK),
		"keys-reshred": operation(reshred),
		"admit":        operation(admit),
		"observe":      operation(observe),
		"release":      operation(release),
	}
}

func noOperation(name string) *Failure {
	return Fail(ExitNotFound, "no_such_operation", "Client and server may be different versions.", "no operation %q", name)
}

// Caller runs operations, here or over a socket.
type Caller interface {
	// Call runs the named operation with in and decodes its document into out.
	Call(ctx context.Context, name string, in, out any) error
}

// Local runs operations in this process.
type Local struct {
	Engine *engine.Engine
	By     string
}

// Call implements Caller. The documents go through JSON here too, so that both
// callers see exactly the same.
func (l Local) Call(ctx context.Context, name string, in, out any) error {
	op, ok := Operations()[name]
	if !ok {
		return noOperation(name)
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	doc, err := op(ctx, l.Engine, l.By, raw)
	if err != nil {
		return AsFailure(err)
	}
	if raw, err = json.Marshal(doc); err != nil {
		return fmt.Errorf("encode answer of %s: %w", name, err)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", name, err)
	}
	return nil
}
