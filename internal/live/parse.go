package live

import (
	"fmt"
	"slices"
	"strings"
)

// operator stands between a field and its values.
type operator string

const (
	equal        operator = "="
	notEqual     operator = "!="
	like         operator = "~"
	notLike      operator = "!~"
	less         operator = "<"
	lessEqual    operator = "<="
	greater      operator = ">"
	greaterEqual operator = ">="
)

// operators are in the order in which they are tried: the longer ones first.
var operators = [...]operator{notEqual, notLike, lessEqual, greaterEqual, equal, like, less, greater}

// negated tells whether an operator holds where none of its values matches.
func (o operator) negated() bool { return o == notEqual || o == notLike }

// ordered tells whether an operator takes one value and compares sizes.
func (o operator) ordered() bool { return o[0] == '<' || o[0] == '>' }

// value is one value with its place in the filter.
type value struct {
	text string
	at   int
}

// parser reads a filter from left to right.
type parser struct {
	text string
	at   int // offset of the next byte
}

func (p *parser) done() bool { return p.at == len(p.text) }

func (p *parser) errorf(at int, format string, args ...any) error {
	return &SyntaxError{Offset: at, Problem: fmt.Sprintf(format, args...)}
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func (p *parser) skipSpace() {
	for !p.done() && isSpace(p.text[p.at]) {
		p.at++
	}
}

// term reads a field, an operator and values.
func (p *parser) term() (test, error) {
	start := p.at
	name := p.name()
	build, err := p.field(name, start)
	if err != nil {
		return nil, err
	}
	opAt := p.at
	op, err := p.operator(name)
	if err != nil {
		return nil, err
	}
	values, err := p.values()
	if err != nil {
		return nil, err
	}
	if op.ordered() && len(values) > 1 {
		return nil, p.errorf(values[1].at, "%s takes one value", op)
	}
	return build(p, clause{op: op, opAt: opAt, values: values, name: name})
}

// name reads up to where an operator may begin.
func (p *parser) name() string {
	start := p.at
	for !p.done() && !isSpace(p.text[p.at]) && strings.IndexByte("=!~<>", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *parser) operator(name string) (operator, error) {
	for _, op := range operators {
		if strings.HasPrefix(p.text[p.at:], string(op)) {
			p.at += len(op)
			return op, nil
		}
	}
	return "", p.errorf(p.at, "no operator after %s: want one of = != ~ !~ < <= > >=", name)
}

// values reads one value or several with commas between them.
func (p *parser) values() ([]value, error) {
	var list []value
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		switch {
		case p.done() || isSpace(p.text[p.at]):
			return list, nil
		case p.text[p.at] != ',':
			return nil, p.errorf(p.at, "want a comma or white space after a value")
		}
		p.at++
	}
}

func (p *parser) value() (value, error) {
	start := p.at
	if !p.done() && p.text[p.at] == '"' {
		return p.quoted()
	}
	for !p.done() && !isSpace(p.text[p.at]) && p.text[p.at] != ',' && p.text[p.at] != '"' {
		p.at++
	}
	if p.at == start {
		return value{}, p.errorf(start, `want a value; the empty text is ""`)
	}
	return value{p.text[start:p.at], start}, nil
}

// quoted reads a value in quotes, the first of which is next.
func (p *parser) quoted() (value, error) {
	start := p.at
	var b strings.Builder
	for p.at++; !p.done(); p.at++ {
		c := p.text[p.at]
		if c == '"' {
			p.at++
			return value{b.String(), start}, nil
		}
		if c == '\\' {
			if p.at++; p.done() || (p.text[p.at] != '"' && p.text[p.at] != '\\') {
				return value{}, p.errorf(p.at-1, `only \" and \\ stand for something in quotes`)
			}
			c = p.text[p.at]
		}
		b.WriteByte(c)
	}
	return value{}, p.errorf(start, "the quote is not closed")
}

// clause is a term in its parts.
type clause struct {
	name   string
	op     operator
	opAt   int // offset of op
	values []value
}

// allow refuses operators that say nothing about a field.
func (p *parser) allow(c clause, ops ...operator) error {
	if slices.Contains(ops, c.op) {
		return nil
	}
	words := make([]string, len(ops))
	for i, op := range ops {
		words[i] = string(op)
	}
	return p.errorf(c.opAt, "%s cannot be compared by %s: want one of %s", c.name, c.op, strings.Join(words, " "))
}
