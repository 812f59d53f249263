package config

import (
	"errors"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parse turns the source into a tree, or reports why it cannot and returns nil.
func (r *reader) parse() *node {
	if len(r.src.Data) > maxFileBytes {
		r.failFile("the file is larger than %s; is it a configuration?", Size(maxFileBytes))
		return nil
	}
	// Repeated names are found below, where both lines are known.
	file, err := parser.ParseBytes(r.src.Data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.failSyntax(err)
		return nil
	}
	var body ast.Node
	for _, document := range file.Docs {
		if document.Body == nil || document.Body.Type() == ast.DirectiveType {
			continue
		}
		if body != nil {
			second := &node{line: 1, column: 1}
			second.at(document.Body)
			r.failAt(second.line, 1, "", "a second document begins here; put all settings into one")
			return nil
		}
		body = document.Body
	}
	if body == nil {
		r.failFile("there is nothing in it; it needs at least listen and services")
		return nil
	}
	b := &builder{r: r, anchors: map[string]ast.Node{}}
	return b.build(body, "", 0)
}

// failSyntax passes on what the parser found, without its excerpt of the
// source, in which a secret may stand.
func (r *reader) failSyntax(err error) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil || syntax.Token.Position == nil {
		r.failFile("it is not YAML")
		return
	}
	at := syntax.Token.Position
	r.failAt(at.Line, at.Column, "", "not YAML: %s (check quotes, brackets and indentation; inside brackets and braces, quote what holds ${NAME} or begins with a colon)", syntax.Message)
}
