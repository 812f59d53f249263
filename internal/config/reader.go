package config

import (
	"fmt"
	"slices"
	"strings"
)

// reader collects a Config and every mistake on the way.
type reader struct {
	src      Source
	config   Config
	problems Errors
	seen     seen
}

// maxProblems bounds what one reading reports: who has a hundred mistakes
// begins with the first.
const maxProblems = 100

func (r *reader) failAt(line, column int, setting, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		return
	}
	r.problems = append(r.problems, &Error{
		File: r.src.File, Line: line, Column: column, Setting: setting,
		Problem: fmt.Sprintf(format, args...),
	})
}

func (r *reader) fail(n *node, format string, args ...any) {
	r.failAt(n.line, n.column, n.path, format, args...)
}

func (r *reader) failFile(format string, args ...any) {
	r.failAt(0, 0, "", format, args...)
}

// want reports a node that has another kind than the one wanted, and puts the
// environment into a single value. It does so this late so that a variable is
// needed only by settings that are read.
func (r *reader) want(n *node, k kind) bool {
	if n.kind != k && n.kind != isBroken {
		r.fail(n, "needs %s, not %s", k, n.kind)
	}
	if n.kind == isScalar {
		var err error
		if n.text, err = expand(n.shown, r.src.Env); err != nil {
			r.fail(n, "%s", err)
			n.kind = isBroken
		}
	}
	return n.kind == k
}

// section reads the fields of one mapping. Each method that takes a name reads
// that field into its destination, leaves the destination alone where there is
// no such field, and reports what is wrong with it.
type section struct {
	r     *reader
	n     *node
	known []string
}

// section calls read with the fields of n, and then reports those that read did
// not ask for.
func (r *reader) section(n *node, read func(*section)) {
	if !r.want(n, isMapping) {
		return
	}
	s := &section{r: r, n: n}
	read(s)
	for _, e := range n.fields {
		if !slices.Contains(s.known, e.name) {
			r.failAt(e.line, e.column, join(n.path, clip(e.name)), "unknown setting; %s", s.suggest(e.name))
		}
	}
}

// get returns the value of a field, or nil where it is absent or unusable.
func (s *section) get(name string) *node {
	s.known = append(s.known, name)
	e := s.n.find(name)
	if e == nil || e.value.kind == isBroken {
		return nil
	}
	if e.value.kind == isNull {
		s.r.fail(e.value, "has no value; give it one or remove the line")
		return nil
	}
	return e.value
}

// has tells whether a field is there, usable or not.
func (s *section) has(name string) bool { return s.n.find(name) != nil }

// require reports a field that is not there.
func (s *section) require(name, hint string) {
	if !s.has(name) {
		s.r.failAt(s.n.line, s.n.column, join(s.n.path, name), "is missing; %s", hint)
	}
}

// failField reports a mistake that concerns a field which get accepted.
func (s *section) failField(name, format string, args ...any) {
	if e := s.n.find(name); e != nil {
		s.r.fail(e.value, format, args...)
		return
	}
	s.r.failAt(s.n.line, s.n.column, join(s.n.path, name), format, args...)
}

// section reads a field that is a mapping.
func (s *section) section(name string, read func(*section)) {
	if n := s.get(name); n != nil {
		s.r.section(n, read)
	}
}

// each calls read for every item of a field that is a list.
func (s *section) each(name string, read func(item *node)) {
	n := s.get(name)
	if n == nil || !s.r.want(n, isList) {
		return
	}
	for _, item := range n.items {
		switch item.kind {
		case isBroken:
		case isNull:
			s.r.fail(item, "has no value; give it one or remove the line")
		default:
			read(item)
		}
	}
}

// oneOrEach is each that also takes an item without a list around it.
func (s *section) oneOrEach(name string, read func(item *node)) {
	if e := s.n.find(name); e != nil && (e.value.kind == isScalar || e.value.kind == isMapping) {
		read(s.get(name))
		return
	}
	s.each(name, read)
}

// scalar returns the node of a field that is a single value, or nil.
func (s *section) scalar(name string) *node {
	n := s.get(name)
	if n == nil || !s.r.want(n, isScalar) {
		return nil
	}
	return n
}

// suggest says what an unknown name may have been meant as.
func (s *section) suggest(name string) string {
	if near := nearest(name, s.known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if s.n.path != "" && slices.Contains(topLevel, name) {
		return fmt.Sprintf("%s belongs at the top level, without indentation", name)
	}
	return "known here: " + strings.Join(s.known, ", ")
}
