package live

import "github.com/rescind-edge/rescind/internal/event"

// flagTest compares a truth.
type flagTest struct {
	of   func(*event.Request) bool
	want bool
}

func (t flagTest) match(r *event.Request) bool { return t.of(r) == t.want }

func flag(of func(*event.Request) bool) builder {
	return func(p *parser, c clause) (test, error) {
		if err := p.allow(c, equal, notEqual); err != nil {
			return nil, err
		}
		v := c.values[0]
		if len(c.values) > 1 {
			return nil, p.errorf(c.values[1].at, "%s takes one value", c.name)
		}
		if v.text != "true" && v.text != "false" {
			return nil, p.errorf(v.at, "%s: want true or false, not %.40q", c.name, v.text)
		}
		return flagTest{of: of, want: (v.text == "true") != c.op.negated()}, nil
	}
}
