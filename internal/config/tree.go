package config

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

type kind uint8

const (
	isScalar kind = iota
	isList
	isMapping
	isNull
	isBroken // an error about it has been reported
)

func (k kind) String() string {
	return [...]string{"a single value", "a list", "a mapping", "nothing", "nothing usable"}[k]
}

// node is a part of the file: what is left of YAML when aliases have been
// followed. The decoding goes over nodes
// and not through reflection, so that one reading finds every mistake and knows
// its place.
type node struct {
	kind         kind
	path         string // as in Error.Setting
	line, column int

	shown string // isScalar: as it stands in the file; errors quote this, so that none shows the environment
	text  string // isScalar: its value, once want has put the environment in

	items  []*node // isList
	fields []entry // isMapping, in order
}

type entry struct {
	name         string
	line, column int
	value        *node
}

func (n *node) find(name string) *entry {
	i := slices.IndexFunc(n.fields, func(e entry) bool { return e.name == name })
	if i < 0 {
		return nil
	}
	return &n.fields[i]
}

// at gives n the place of from.
func (n *node) at(from ast.Node) {
	if t := from.GetToken(); t != nil && t.Position != nil {
		n.line, n.column = t.Position.Line, max(t.Position.Column, 1)
	}
}

// Bounds of a tree. Nothing that the file can mean is deeper than eight levels;
// the count stops aliases of aliases from growing without end.
const (
	maxDepth = 32
	maxNodes = 500_000
)

// builder turns the parser's tree into nodes.
type builder struct {
	r       *reader
	anchors map[string]ast.Node
	count   int
	full    bool // a bound was reached and has been reported
}

const strangeYAML = "tags and other rare forms of YAML are not understood here; write the plain value"

func (b *builder) build(from ast.Node, path string, depth int) *node {
	n := &node{kind: isBroken, path: path, line: 1, column: 1}
	n.at(from)
	if b.full {
		return n
	}
	if b.count++; b.count > maxNodes || depth > maxDepth {
		b.full = true
		b.r.fail(n, "too many or too deeply nested settings; are there aliases of aliases?")
		return n
	}
	switch from := from.(type) {
	case *ast.MappingNode:
		if !from.IsFlowStyle && len(from.Values) > 0 {
			n.at(from.Values[0].Key) // its own token is the first colon
		}
		b.mapping(n, from.Values, depth)
	case *ast.MappingValueNode:
		n.at(from.Key)
		b.mapping(n, []*ast.MappingValueNode{from}, depth)
	case *ast.SequenceNode:
		n.kind = isList
		for i, item := range from.Values {
			n.items = append(n.items, b.item(item, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
	case *ast.AnchorNode:
		built := b.build(from.Value, path, depth+1)
		b.anchors[from.Name.GetToken().Value] = from.Value // only now: an anchor is not known inside itself
		return built
	case *ast.AliasNode:
		return b.alias(n, from, depth)
	case *ast.NullNode:
		n.kind = isNull
	case *ast.TagNode, *ast.MergeKeyNode:
		b.r.fail(n, strangeYAML)
	case *ast.LiteralNode:
		n.kind, n.shown = isScalar, from.Value.Value
	case *ast.StringNode:
		n.kind, n.shown = isScalar, from.Value
	case ast.ScalarNode:
		n.kind, n.shown = isScalar, from.GetToken().Value
	default:
		b.r.fail(n, strangeYAML)
	}
	return n
}

// alias builds what an alias stands for once more, under the alias's path and
// at the anchor's line.
func (b *builder) alias(n *node, from *ast.AliasNode, depth int) *node {
	name := from.Value.GetToken().Value
	target, ok := b.anchors[name]
	if !ok {
		b.r.fail(n, "no anchor &%s comes before this; a value that begins with * must be quoted", clip(name))
		return n
	}
	return b.build(target, n.path, depth+1)
}

func (b *builder) mapping(n *node, values []*ast.MappingValueNode, depth int) {
	n.kind = isMapping
	var merged []*node
	for _, value := range values {
		if _, ok := value.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, b.build(value.Value, n.path, depth+1))
			continue
		}
		b.field(n, value, depth)
	}
	for _, from := range merged {
		b.merge(n, from)
	}
}

func (b *builder) field(n *node, value *ast.MappingValueNode, depth int) {
	key := &node{path: n.path}
	key.at(value.Key)
	name, ok := value.Key.(ast.ScalarNode)
	if !ok {
		b.r.fail(key, "a setting's name must be a plain word")
		return
	}
	e := entry{name: name.GetToken().Value, line: key.line, column: key.column}
	key.path = join(n.path, clip(e.name))
	if before := n.find(e.name); before != nil {
		b.r.fail(key, "is set twice, first in line %d; remove one", before.line)
		return
	}
	e.value = b.build(value.Value, key.path, depth+1)
	if e.value.kind == isMapping || e.value.kind == isNull {
		e.value.line, e.value.column = e.line, e.column
	}
	n.fields = append(n.fields, e)
}

// merge adds the fields of a "<<" that n does not set itself.
func (b *builder) merge(n, from *node) {
	switch from.kind {
	case isBroken:
	case isMapping:
		for _, e := range from.fields {
			if n.find(e.name) == nil {
				n.fields = append(n.fields, e)
			}
		}
	default:
		b.r.fail(from, "<< takes an alias of a mapping, not %s", from.kind)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
