package config

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:generate go test -run ^TestReference$ . -reference

var writeReference = flag.Bool("reference", false, "write docs/configuration.md")

const referencePath = "../../docs/configuration.md"

// The reference is made from the structs: their comments, and the defaults that
// a reading of a nearly empty file gives. What is a setting, and which are
// required, is asked of the reading itself.
func TestReference(t *testing.T) {
	r := newReference(t)
	r.section(reflect.TypeFor[Config](), "", r.example)
	for name := range r.known {
		if !r.written[name] {
			t.Errorf("%s can be set, but no field of a struct stands for it", name)
		}
	}
	got := referenceHead + r.out.String()
	if *writeReference {
		if err := os.WriteFile(referencePath, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/configuration.md is not what the structs say; run go generate ./internal/config")
	}
}

const referenceHead = `# Configuration reference

Made from the source by ` + "`go generate ./internal/config`" + `; a test holds both together. A file to start from, with every
setting in its place, is [rescind.example.yaml](rescind.example.yaml); ` + "`rescind config check FILE`" + ` lists every mistake
in a file with its line.

` + "`[]`" + ` stands for each item of a list; where a list is expected, a single item needs none. Durations are whole numbers
with units (` + "`500ms`, `90s`, `1h30m`, `1d`" + `), sizes too (` + "`64KiB`, `1GiB`, `1GB`" + `), networks are written like ` + "`10.0.0.0/8`" + `
or ` + "`192.0.2.7`" + `. ` + "`${NAME}`" + ` in a value is taken from the environment. A path may begin with ` + "`~`" + `; a relative one starts
at the file's directory. Unknown settings are errors. ` + "`storage.disk` and `tracing`" + ` are understood and
refused: they are not available in this version.
`

// Settings whose names or shapes the structs do not show.
var (
	renamed = map[string]string{
		"Service.Pool": "origin", "Config.StackPath": "stackpath", "Service.DebugFrom": "debug.allow_from", "Service.BodyBytes": "limits.body_bytes",
	}
	// notSettings are made from other settings.
	notSettings = []string{
		"Listener.Network", "ErrorPage.From", "ErrorPage.To", "ErrorPage.ContentType", "ErrorPage.Body", "Query.Mode", "Query.Names",
	}
	// shapes are meanings of fields that hold a whole setting.
	shapes = map[string]string{
		"services[].cache.query": "which part of a query tells resources apart: `all` of it as it was sent, `sorted`, where the same " +
			"parameters in any order are one resource, `ignore`, `{include: [page, \"f_*\"]}` or `{exclude: [\"utm_*\"]}`",
		"services[].cache.negative_ttl": "freshness by status, where the response gives none, such as `{404: 10s, 503: 1s}`",
		"services[].error_pages": "files for errors of the node's own, by status, such as `{502: gateway.html, 5xx: error.html, " +
			"default: error.html}`; the narrowest counts. Errors that an origin answers stay as they are. A name ends in `.html`, " +
			"`.json` or `.txt`; a file has at most 64KiB and is read at start and reload. `{{status}}`, `{{reason}}` and " +
			"`{{request_id}}` in it are filled in, escaped for its type",
		"services[].headers.request.set":  "a mapping of names to a value or several, each in place of all fields of its name",
		"services[].headers.response.set": "a mapping of names to a value or several, each in place of all fields of its name",
		"services[].headers.response.add": "a mapping of names to a value or several, beside what there is",
		"tokens[].value":                  "the token itself, best from the environment: `\"${NAME}\"`; it is hashed while it is read",
		"tokens[].hash":                   "instead of the value: `sha256:` and 64 hexadecimal digits; `printf %s TOKEN | sha256sum` makes them",
	}
	// words can stand in place of a whole section.
	words = map[string]string{
		"services[].cache.compress":      "`off` (the default) compresses nothing, `on` is the section with its defaults.",
		"services[].purge.limits":        "`off` means no limits.",
		"listen.http[]":                  "An address can stand in place of the section.",
		"listen.admin":                   "An address can stand in place of the section.",
		"services[].purge.tag_headers[]": "A name can stand in place of the section.",
	}
	// insideShapes are settings that the meaning of another one explains.
	insideShapes = []string{"services[].cache.query.include", "services[].cache.query.exclude"}
)

type reference struct {
	t        *testing.T
	source   sourceComments
	example  reflect.Value // a Config with one of everything
	known    map[string]bool
	required map[string]bool
	written  map[string]bool
	about    map[string]string // what is said of a section where it stands
	out      strings.Builder
}

func newReference(t *testing.T) *reference {
	r := &reference{t: t, source: readComments(t), written: map[string]bool{}, about: map[string]string{}}
	r.known, r.required = probe(t)
	for _, name := range insideShapes {
		r.written[name] = true
	}
	c, err := Parse(Source{File: "probe", Dir: "/", Hostname: "host", Data: []byte(`
listen: {http: ":8080", https: {address: ":8443", cert: c, key: k}}
cluster: {bind: "10.0.0.1:7946", secret: 0123456789abcdef}
access_log: [{to: stdout}]
purge_log: [{to: stdout}]
services:
  - {id: a, domains: [a.example], origins: [{url: "http://127.0.0.1"}], purge: {tag_headers: [X]}}
tokens: [{name: t, value: v, scopes: [global]}]
`)})
	if err != nil {
		t.Fatal(err)
	}
	r.example = reflect.ValueOf(*c)
	return r
}

// probe asks the reading which settings it knows, and which it misses.
func probe(t *testing.T) (known, required map[string]bool) {
	t.Helper()
	known, required = map[string]bool{}, map[string]bool{}
	for _, text := range []string{"{}", `
zz: 1
node: {zz: 1}
listen: {zz: 1, http: [{zz: 1}], https: [{zz: 1}], admin: {zz: 1}}
cluster: {zz: 1, isolation: {zz: 1}}
storage: {zz: 1}
limits: {zz: 1}
log: {zz: 1}
access_log: [{zz: 1, headers: {zz: 1}}]
purge_log: [{zz: 1}]
metrics: {zz: 1}
stackpath: {zz: 1}
services:
  - zz: 1
    origins: [{zz: 1}]
    shield: {zz: 1}
    origin: {zz: 1, health: {zz: 1}, passive: {zz: 1}}
    cache: {zz: 1, query: {zz: 1}, compress: {zz: 1}}
    purge: {zz: 1, limits: {zz: 1}, tag_headers: [{zz: 1}]}
    headers: {zz: 1, request: {zz: 1}, response: {zz: 1}}
    limits: {zz: 1}
    debug: {zz: 1}
tokens: [{zz: 1}]
`} {
		_, err := Parse(Source{File: "probe", Dir: "/", Hostname: "host", Data: []byte(text)})
		problems, _ := err.(Errors)
		for _, p := range problems {
			setting := strings.ReplaceAll(p.Setting, "[0]", "[]")
			if strings.HasPrefix(p.Problem, "is missing") {
				required[setting] = true
			}
			if _, list, ok := strings.Cut(p.Problem, "known here: "); ok {
				for name := range strings.SplitSeq(list, ", ") {
					known[join(strings.TrimSuffix(strings.TrimSuffix(setting, "zz"), "."), name)] = true
				}
			}
		}
	}
	for _, unavailable := range []string{"storage.disk", "tracing"} {
		delete(known, unavailable)
	}
	return known, required
}

// section writes a table of a struct's fields, and then one for each of its
// fields that is a struct.
func (r *reference) section(of reflect.Type, at string, value reflect.Value) {
	var rows []string
	var deeper []func()
	for i := range of.NumField() {
		f := of.Field(i)
		path, ok := r.path(of, f, at)
		if !ok {
			continue
		}
		inner, list := f.Type, false
		if _, shaped := shapes[path]; !shaped && inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct && inner.Elem().NumField() > 0 && inner.Elem().PkgPath() == of.PkgPath() {
			inner, list = inner.Elem(), true
		}
		section := inner.Kind() == reflect.Struct && inner.PkgPath() == of.PkgPath() && inner.Name() != "Query"
		r.written[path] = true
		if !section {
			rows = append(rows, r.row(of, f, at, value.Field(i)))
			continue
		}
		v := value.Field(i)
		if list {
			path += "[]"
			if v = reflect.Zero(inner); value.Field(i).Len() > 0 {
				v = value.Field(i).Index(0)
			}
		}
		r.about[path] = r.source.fields[of.Name()+"."+f.Name]
		deeper = append(deeper, func() { r.section(inner, path, v) })
	}
	if at != "" {
		fmt.Fprintf(&r.out, "\n## %s\n\n%s\n", at, r.intro(of, at))
	} else {
		fmt.Fprintf(&r.out, "\n## Top level\n")
	}
	if at == "tokens[]" {
		rows = slices.Insert(rows, 1, fmt.Sprintf("| `value` | one of both | %s |", shapes["tokens[].value"]))
		r.written["tokens[].value"] = true
	}
	if len(rows) > 0 {
		fmt.Fprintf(&r.out, "\n| Setting | Default | Meaning |\n|---|---|---|\n%s\n", strings.Join(rows, "\n"))
	}
	for _, write := range deeper {
		write()
	}
}

// path returns the setting that a field stands for.
func (r *reference) path(of reflect.Type, f reflect.StructField, at string) (string, bool) {
	id := of.Name() + "." + f.Name
	if slices.Contains(notSettings, id) {
		return "", false
	}
	name, ok := renamed[id]
	if !ok {
		name = snake(f.Name)
	}
	path := join(at, name)
	if parent, _, nested := strings.Cut(name, "."); nested {
		r.written[join(at, parent)] = true
	}
	// A struct that stands in several places need not have all its fields in each.
	if !r.known[path] {
		if of.Name() != "Listener" && of.Name() != "HeaderRule" {
			r.t.Errorf("%s.%s: %s is no setting", of.Name(), f.Name, path)
		}
		return "", false
	}
	return path, true
}

func (r *reference) row(of reflect.Type, f reflect.StructField, at string, value reflect.Value) string {
	path, _ := r.path(of, f, at)
	meaning, byDefault := r.meaning(of, f, path)
	shown := showValue(value)
	switch {
	case r.required[path]:
		byDefault = "required"
	case path == "tokens[].hash":
		byDefault = "one of both"
	case byDefault == "":
		byDefault = shown
	default:
		r.compare(path, byDefault, shown)
	}
	name := strings.TrimPrefix(strings.TrimPrefix(path, at), ".")
	if regexp.MustCompile(`^[\w.:-]+$`).MatchString(byDefault) && !slices.Contains([]string{"required", "none", "loopback"}, byDefault) {
		byDefault = "`" + byDefault + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s |", name, byDefault, strings.ReplaceAll(meaning, "|", `\|`))
}

// compare holds the default that a comment names against the real one.
func (r *reference) compare(path, said, real string) {
	word := strings.Trim(strings.FieldsFunc(said, func(c rune) bool { return c == ' ' || c == ',' || c == ';' })[0], "`:")
	if d, err := ParseDuration(word); err == nil {
		word = durationText(d)
	}
	if regexp.MustCompile(`^(\d|true|false)`).MatchString(word) && word != strings.Trim(real, "`") && !(word == "0s" && real == "`0`") && !(word == "0s" && real == "`0B`") {
		r.t.Errorf("%s: the comment says default %s, and it is %s", path, word, real)
	}
}

func showValue(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		return "`" + durationText(value) + "`"
	case Size:
		return "`" + value.String() + "`"
	case Query:
		return "`" + string(value.Mode) + "`"
	case bool, int:
		return fmt.Sprintf("`%v`", value)
	}
	if v.Kind() == reflect.String && v.Len() > 0 {
		return "`" + v.String() + "`"
	}
	return "none"
}
