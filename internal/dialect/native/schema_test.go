package native

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// schema is a JSON Schema (2020-12), or another part of the document.
type schema = map[string]any

// document is the API's description.
type document struct{ root schema }

// loadDocument reads the document once: most tests hold answers against it.
func loadDocument(t testing.TB) document {
	t.Helper()
	d, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var readDocument = sync.OnceValues(func() (d document, err error) {
	text, err := os.ReadFile("../../../api/openapi.yaml")
	if err != nil {
		return d, err
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(asJSON, &d.root)
})

// at returns the part of the document that names lead to, references followed.
func (d document) at(part schema, names ...string) schema {
	for _, name := range names {
		next, ok := part[name].(schema)
		if !ok {
			return nil
		}
		part = d.follow(next)
	}
	return part
}

func (d document) follow(part schema) schema {
	ref, ok := part["$ref"].(string)
	if !ok {
		return part
	}
	target := d.at(d.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	if target == nil {
		panic("the document refers to " + ref + ", which is not there")
	}
	return target
}

// annotations are the keywords that restrict nothing.
var annotations = []string{"description", "example", "examples", "default", "summary"}

// check returns what is wrong with a decoded value. It knows the keywords that
// the document uses, and complains about any other.
func (d document) check(s schema, v any, at string) (mistakes []string) {
	s = d.follow(s)
	wrong := func(format string, args ...any) { mistakes = append(mistakes, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, rule := range s {
		switch keyword {
		case "type":
			if !hasType(v, rule.(string)) {
				wrong("%v is not of type %v", v, rule)
			}
		case "enum":
			if !slices.Contains(rule.([]any), v) {
				wrong("%v is none of %v", v, rule)
			}
		case "pattern", "format", "minLength", "maxLength":
			if text, ok := v.(string); ok && !fits(text, keyword, rule) {
				wrong("%q breaks %s %v", text, keyword, rule)
			}
		case "minimum", "maximum":
			if n, ok := v.(float64); ok && (keyword == "minimum" && n < rule.(float64) || keyword == "maximum" && n > rule.(float64)) {
				wrong("%v breaks %s %v", n, keyword, rule)
			}
		case "items", "minItems", "maxItems":
			mistakes = append(mistakes, d.checkList(keyword, rule, v, at)...)
		case "required", "properties", "additionalProperties":
			mistakes = append(mistakes, d.checkObject(s, keyword, v, at)...)
		case "allOf":
			for _, part := range rule.([]any) {
				mistakes = append(mistakes, d.check(part.(schema), v, at)...)
			}
		default:
			if !slices.Contains(annotations, keyword) {
				wrong("the document uses %q, which this test does not know", keyword)
			}
		}
	}
	return mistakes
}

func hasType(v any, name string) bool {
	switch v := v.(type) {
	case schema:
		return name == "object"
	case []any:
		return name == "array"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	}
	return false
}

func fits(text, keyword string, rule any) bool {
	switch keyword {
	case "pattern":
		return regexp.MustCompile(rule.(string)).MatchString(text)
	case "format":
		at, err := time.Parse(time.RFC3339Nano, text)
		return rule == "date-time" && err == nil && at.Location() == time.UTC
	case "minLength":
		return float64(utf8.RuneCountInString(text)) >= rule.(float64)
	}
	return float64(utf8.RuneCountInString(text)) <= rule.(float64)
}

func (d document) checkList(keyword string, rule, v any, at string) (mistakes []string) {
	list, ok := v.([]any)
	switch {
	case !ok:
	case keyword == "minItems" && float64(len(list)) < rule.(float64), keyword == "maxItems" && float64(len(list)) > rule.(float64):
		mistakes = append(mistakes, fmt.Sprintf("%s: %d items break %s %v", at, len(list), keyword, rule))
	case keyword == "items":
		for i, item := range list {
			mistakes = append(mistakes, d.check(rule.(schema), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return mistakes
}

func (d document) checkObject(s schema, keyword string, v any, at string) (mistakes []string) {
	object, ok := v.(schema)
	if !ok {
		return nil
	}
	properties, _ := s["properties"].(schema)
	switch keyword {
	case "required":
		for _, name := range s["required"].([]any) {
			if _, ok := object[name.(string)]; !ok {
				mistakes = append(mistakes, fmt.Sprintf("%s: %v is missing", at, name))
			}
		}
	case "properties":
		for name, member := range object {
			if rule, ok := properties[name].(schema); ok {
				mistakes = append(mistakes, d.check(rule, member, at+"."+name)...)
			}
		}
	case "additionalProperties":
		for name, member := range object {
			if _, known := properties[name]; known {
				continue
			}
			if rule, ok := s[keyword].(schema); ok {
				mistakes = append(mistakes, d.check(rule, member, at+"."+name)...)
			} else if s[keyword] == false {
				mistakes = append(mistakes, fmt.Sprintf("%s: %s is not known", at, name))
			}
		}
	}
	return mistakes
}

// TestSchemaCheck makes sure that the checks below can fail.
func TestSchemaCheck(t *testing.T) {
	d := loadDocument(t)
	for text, mistakes := range map[string]int{
		`{"name":"a","scopes":["global"],"expires_in":"1h30m"}`: 0,
		`{"name":"","scopes":["global"]}`:                       1,
		`{"name":"a","scopes":[]}`:                              1,
		`{"name":"a","scopes":["all"],"expires_in":"90","x":1}`: 3,
		`{"name":7}`: 2,
		`{"name":"a","scopes":["global"],"expires":"2026-01-01"}`:                1,
		`{"name":"a","scopes":["global"],"expires":"2026-01-01T00:00:00+01:00"}`: 1,
		`[]`: 1,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := d.check(d.at(d.root, "components", "schemas", "NewToken"), v, "body"); len(got) != mistakes {
			t.Errorf("%s has %d mistakes, want %d: %v", text, len(got), mistakes, got)
		}
	}
}
