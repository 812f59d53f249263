package native

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
)

// TestDocumentNamesEveryPath compares what is served with what is described.
func TestDocumentNamesEveryPath(t *testing.T) {
	d, served, described := loadDocument(t), []string{}, []string{}
	for _, r := range everything(dialecttest.New(t)).table() {
		for method := range r.endpoint {
			served = append(served, method+" "+r.pattern)
		}
	}
	for path := range d.at(d.root, "paths") {
		for method := range d.at(d.root, "paths", path) {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served    %q\ndescribed %q", served, described)
	}
}

// TestDocumentNamesEveryMember compares the document's schemas with the types
// of package api: names of members, and which may be absent.
func TestDocumentNamesEveryMember(t *testing.T) {
	d := loadDocument(t)
	named := d.at(d.root, "components", "schemas")
	for name, of := range map[string]any{
		"Purge": api.Purge{}, "Header": api.Header{}, "Selector": api.Selector{}, "Receipt": api.Receipt{}, "List": api.List{}, "Revert": api.Revert{},
		"NewToken": api.NewToken{}, "Token": api.Token{}, "Tokens": api.Tokens{}, "CreatedToken": api.CreatedToken{},
		"Services": api.Services{}, "ServiceStatus": api.ServiceStatus{}, "Status": api.Status{},
		"Explanation": api.Explanation{}, "Variant": api.Variant{}, "PurgeHit": api.PurgeHit{}, "Hint": api.Hint{},
		"Confirmations": api.Confirmations{}, "Confirmation": api.Confirmation{}, "Cluster": api.Cluster{},
		"ClusterStatus": api.ClusterStatus{}, "Member": api.Member{}, "ClusterKeys": api.ClusterKeys{}, "MemberKeys": api.MemberKeys{},
		"Top": api.Top{}, "Hot": api.Hot{}, "Missed": api.Missed{}, "Problem": api.Problem{},
	} {
		d.compare(t, name, named[name].(schema), reflect.TypeOf(of))
	}
}

// alwaysThere are members that the types leave out when empty and that are never
// empty in this API's answers.
var alwaysThere = []string{"Problem.next", "CreatedToken.id"}

func (d document) compare(t *testing.T, at string, s schema, of reflect.Type) {
	t.Helper()
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if items, ok := s["items"].(schema); ok {
		s = items
	}
	if of.Kind() != reflect.Struct || of.Name() == "Time" || s["$ref"] != nil {
		return
	}
	properties, required := d.members(s)
	for name, f := range fieldsOf(of) {
		tag := f.Tag.Get("json")
		optional := strings.Contains(tag, ",omit")
		rule, ok := properties[name].(schema)
		if _, anyName := s["additionalProperties"].(schema); !ok && !anyName {
			t.Errorf("%s.%s is not described", at, name)
			continue
		}
		if slices.Contains(required, any(name)) == optional && !slices.Contains(alwaysThere, at+"."+name) {
			t.Errorf("%s.%s may be absent (%v), and is described otherwise", at, name, optional)
		}
		d.compare(t, at+"."+name, rule, f.Type)
		delete(properties, name)
	}
	for name := range properties {
		t.Errorf("%s.%s is described, and there is no such member", at, name)
	}
}

// members returns a schema's properties and required names, those of allOf
// included.
func (d document) members(s schema) (schema, []any) {
	properties := schema{}
	own, _ := s["properties"].(schema)
	maps.Copy(properties, own)
	required, _ := s["required"].([]any)
	parts, _ := s["allOf"].([]any)
	for _, part := range parts {
		p, r := d.members(d.follow(part.(schema)))
		maps.Copy(properties, p)
		required = append(required, r...)
	}
	if s["additionalProperties"] != nil && len(properties) == 0 {
		return schema{}, required
	}
	return properties, required
}

func fieldsOf(of reflect.Type) map[string]reflect.StructField {
	out := map[string]reflect.StructField{}
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Anonymous {
			maps.Copy(out, fieldsOf(f.Type))
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f
	}
	return out
}

// conforming passes requests on to a handler and holds its answers, and the
// requests that it accepts, against the document.
type conforming struct {
	t       *testing.T
	h       handler
	d       document
	mu      sync.Mutex
	covered map[string]bool // "POST /v1/purges 200"
}

func newConforming(t *testing.T, h handler) *conforming {
	return &conforming{t: t, h: h, d: loadDocument(t), covered: map[string]bool{}}
}

func (c *conforming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pattern := c.pattern(r.URL.Path)
	operation := c.d.at(c.d.root, "paths", pattern, strings.ToLower(r.Method))
	if operation == nil {
		got := httptest.NewRecorder()
		c.h.ServeHTTP(got, r)
		c.body(c.d.at(c.d.root, "components", "responses", "Problem", "content"), got.Result(), got.Body.Bytes(), r.URL.Path)
		pass(w, got)
		return
	}
	var sent bytes.Buffer
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r.Body, &sent), r.Body}
	got := httptest.NewRecorder()
	c.h.ServeHTTP(got, r)
	what := fmt.Sprintf("%s %s %d", r.Method, pattern, got.Code)
	c.mu.Lock()
	c.covered[what] = true
	c.mu.Unlock()
	response := c.d.at(operation, "responses", fmt.Sprint(got.Code))
	if response == nil {
		c.t.Errorf("%s is not described", what)
	}
	c.headers(response, got, what)
	c.body(c.d.at(response, "content"), got.Result(), got.Body.Bytes(), what)
	if wants := c.d.at(operation, "requestBody", "content", api.ContentType, "schema"); wants != nil && got.Code < 300 {
		c.value(wants, sent.Bytes(), what+", request")
	}
	pass(w, got)
}

// pattern returns the path of the document that a request's path is one of.
func (c *conforming) pattern(path string) string {
	for pattern := range c.d.at(c.d.root, "paths") {
		before, after, hasID := strings.Cut(pattern, "{id}")
		id, ok := strings.CutPrefix(path, before)
		if hasID && ok {
			id, ok = strings.CutSuffix(id, after)
			if ok && id != "" && !strings.Contains(id, "/") {
				return pattern
			}
		}
	}
	return path
}

func (c *conforming) headers(response schema, got *httptest.ResponseRecorder, what string) {
	for name := range c.d.at(response, "headers") {
		if got.Header().Get(name) == "" && name != api.HeaderIdempotentReplay && name != api.HeaderConfirmed {
			c.t.Errorf("%s has no %s", what, name)
		}
	}
}

func (c *conforming) body(content schema, got *http.Response, body []byte, what string) {
	kind := got.Header.Get("Content-Type")
	if content == nil {
		if len(body) > 0 {
			c.t.Errorf("%s has a body: %s", what, body)
		}
		return
	}
	s := c.d.at(content, kind, "schema")
	if s == nil {
		c.t.Errorf("%s has the content type %q, which is not described", what, kind)
		return
	}
	if kind != api.LinesContentType {
		c.value(s, body, what)
		return
	}
	for line := range bytes.Lines(body) {
		c.value(s, line, what)
	}
}

func (c *conforming) value(s schema, text []byte, what string) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		c.t.Errorf("%s: %v in %s", what, err, text)
		return
	}
	for _, mistake := range c.d.check(s, v, what) {
		c.t.Error(mistake)
	}
}

// described returns every operation and status of the document.
func (c *conforming) described() []string {
	var all []string
	for path := range c.d.at(c.d.root, "paths") {
		for method := range c.d.at(c.d.root, "paths", path) {
			for status := range c.d.at(c.d.root, "paths", path, method, "responses") {
				all = append(all, fmt.Sprintf("%s %s %s", strings.ToUpper(method), path, status))
			}
		}
	}
	slices.Sort(all)
	return all
}

func pass(w http.ResponseWriter, got *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), got.Header())
	w.WriteHeader(got.Code)
	w.Write(got.Body.Bytes())
}
