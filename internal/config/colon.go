package config

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// item builds an item of a list. Inside braces, the parser takes the plain
// value a:b in a list for a mapping of a to b, which YAML has only where a
// space follows the colon (YAML 1.2.2 section 7.3.3); item joins it again.
func (b *builder) item(from ast.Node, path string, depth int) *node {
	pair, ok := from.(*ast.MappingValueNode)
	if m, single := from.(*ast.MappingNode); single && !m.IsFlowStyle && len(m.Values) == 1 {
		pair, ok = m.Values[0], true
	}
	if !ok || !plain(pair.Key) || !plain(pair.Value) || !adjacent(pair.Key, pair) || !adjacent(pair, pair.Value) {
		return b.build(from, path, depth)
	}
	b.count++
	n := &node{kind: isScalar, path: path, shown: pair.Key.GetToken().Value + ":" + pair.Value.GetToken().Value}
	n.at(pair.Key)
	return n
}

// plain tells whether n is a scalar without quotes.
func plain(n ast.Node) bool {
	_, scalar := n.(ast.ScalarNode)
	return scalar && n.GetToken() != nil && n.GetToken().Indicator == token.NotIndicator
}

// adjacent tells whether the second token stands right behind the first.
func adjacent(first, second ast.Node) bool {
	a, b := first.GetToken(), second.GetToken()
	return a.Position.Line == b.Position.Line && a.Position.Column+utf8.RuneCountInString(a.Value) == b.Position.Column
}
