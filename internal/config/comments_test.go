package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourceComments are the comments of the package's structs and constants.
type sourceComments struct {
	types  map[string]string   // of types, by name
	fields map[string]string   // of fields, by "Type.Field"
	words  map[string][]string // the values of the constants of each type, each with its comment
}

func readComments(t *testing.T) sourceComments {
	t.Helper()
	c := sourceComments{types: map[string]string{}, fields: map[string]string{}, words: map[string][]string{}}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if general, ok := decl.(*ast.GenDecl); ok {
				c.add(general)
			}
		}
	}
	return c
}

func (c *sourceComments) add(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			c.types[spec.Name.Name] = oneLine(decl.Doc)
			if fields, ok := spec.Type.(*ast.StructType); ok {
				c.addFields(spec.Name.Name, fields)
			}
		case *ast.ValueSpec:
			kind, typed := spec.Type.(*ast.Ident)
			if !typed || decl.Tok != token.CONST {
				continue
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, _ := strconv.Unquote(literal.Value)
				text := "`" + value + "`"
				if comment := oneLine(spec.Comment); comment != "" {
					text += " (" + comment + ")"
				}
				c.words[kind.Name] = append(c.words[kind.Name], text)
			}
		}
	}
}

func (c *sourceComments) addFields(of string, fields *ast.StructType) {
	for _, field := range fields.Fields.List {
		text := oneLine(field.Doc)
		if text == "" {
			text = oneLine(field.Comment)
		}
		for _, name := range field.Names {
			c.fields[of+"."+name.Name] = text
		}
	}
}

func oneLine(g *ast.CommentGroup) string { return strings.Join(strings.Fields(g.Text()), " ") }

// meaning turns a field's comment into what stands in the table, and the
// default that it names.
func (r *reference) meaning(of reflect.Type, f reflect.StructField, path string) (meaning, byDefault string) {
	if text, ok := shapes[path]; ok {
		return text, ""
	}
	text := r.source.fields[of.Name()+"."+f.Name]
	for _, verb := range []string{" is ", " are "} {
		text = strings.TrimPrefix(text, f.Name+verb)
	}
	text = r.inSettings(of, text)
	var parts []string
	for part := range strings.SplitSeq(text, "; ") {
		if said, ok := strings.CutPrefix(part, "default"); ok {
			byDefault = strings.TrimPrefix(strings.TrimPrefix(said, ":"), " ")
			continue
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	if words := r.source.words[elem(f.Type).Name()]; words != nil {
		parts = append(parts, "one of "+strings.Join(words, ", "))
	}
	if len(parts) == 0 {
		r.t.Errorf("%s has no comment", path)
	}
	return strings.Join(parts, "; "), byDefault
}

func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return t
}

// intro turns a struct's comment into what stands above its table.
func (r *reference) intro(of reflect.Type, at string) string {
	_, text, _ := strings.Cut(r.inSettings(of, r.source.types[of.Name()]), " ")
	text = strings.ToUpper(text[:1]) + text[1:]
	text = regexp.MustCompile(`^(Is|Says|Are) `).ReplaceAllStringFunc(text, func(string) string { return "" })
	text = strings.ToUpper(text[:1]) + text[1:]
	if about := r.inSettings(of, r.about[at]); about != "" {
		text += " " + strings.ToUpper(about[:1]) + about[1:] + "."
	}
	return strings.TrimSpace(text + " " + words[at])
}

// properNames are names of fields that, in comments, stand for something else.
var properNames = []string{"Forwarded", "Host", "Cache", "URL", "HTTP", "HTTPS"}

var goName = regexp.MustCompile(`\b([A-Z][A-Za-z]+\.)?[A-Z][A-Za-z0-9]*\b`)

// inSettings puts the names of settings in place of the names of fields.
func (r *reference) inSettings(of reflect.Type, text string) string {
	return goName.ReplaceAllStringFunc(text, func(name string) string {
		if section, field, ok := strings.Cut(name, "."); ok && r.source.fields[name] != "" {
			return "`" + snake(section) + "." + snake(field) + "`"
		}
		if name == "AccessLog" {
			return "`access_log`"
		}
		if _, ok := of.FieldByName(name); ok && !slices.Contains(properNames, name) {
			return "`" + snake(name) + "`"
		}
		return name
	})
}

var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// snake returns the name in the file of a field's name.
func snake(name string) string {
	return strings.ToLower(wordStart.ReplaceAllString(name, "${1}${3}_${2}${4}"))
}
