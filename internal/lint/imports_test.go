package lint

import (
	"slices"
	"strings"
	"testing"
)

// A rule restricts the imports of the packages in some folders. Folders name
// themselves and all below them.
type rule struct {
	why  string
	of   []string // whose imports; empty: everybody's, but for those in except
	exc  []string // who may nevertheless
	may  []string // of the project's packages, only these; nil: all but not
	not  []string // of the project's packages, none of these, not even through another package
	std  []string // none of these packages of the standard library, nor those below them
	pure bool     // of other modules, none
}

var rules = []rule{
	{
		why: "the caching rules are pure",
		of:  []string{"internal/httpcache"},
		may: []string{"internal/field"},
		std: []string{"net", "os", "log"},
	},
	{
		why: "the purge engine is pure",
		of:  []string{"internal/purge"},
		may: []string{"internal/field"},
		std: []string{"net", "os", "log"},
	},
	{
		why: "the shared words know nothing of who uses them",
		of:  []string{"internal/field"},
		may: []string{},
		std: []string{"net", "os", "log"},
	},
	{
		why: "the grammar of HTTP/1 is pure",
		of:  []string{"internal/http1"},
		may: []string{"internal/field"},
		std: []string{"net", "os", "log"},
	},
	{
		why: "HTTP/1 is read where it arrives; everybody else sees what was read",
		exc: []string{"internal/http1", "internal/origin", "internal/server"},
		not: []string{"internal/http1"},
	},
	{
		why: "compression is of values and streams",
		of:  []string{"internal/compress"},
		may: []string{"internal/field"},
		std: []string{"net", "os", "log"},
	},
	{
		why: "the cluster carries bytes and knows nothing of what they mean",
		of:  []string{"internal/cluster"},
		not: []string{"internal/purge", "internal/store", "internal/proxy"},
	},
	{
		why: "the data plane works without control, cluster and administration",
		of:  []string{"internal/proxy"},
		not: []string{"internal/cluster", "internal/control", "internal/dialect", "internal/admin"},
	},
	{
		why: "edges and shields know the cluster and control by small interfaces",
		of:  []string{"internal/shield"},
		not: []string{"internal/cluster", "internal/control", "internal/proxy", "internal/dialect", "internal/admin"},
	},
	{
		why: "a store asks a judge and never sees marks",
		of:  []string{"internal/store"},
		not: []string{"internal/purge"},
	},
	{
		why: "each package has its own settings; only the assembly reads the file's",
		exc: []string{"internal/app", "internal/config", "cmd"},
		not: []string{"internal/config"},
	},
	{
		why: "settings need nothing but the shared words",
		of:  []string{"internal/config"},
		may: []string{"internal/field"},
	},
	{
		why: "log lines are made from events alone",
		of:  []string{"internal/accesslog"},
		may: []string{"internal/event", "internal/field"},
		std: []string{"os", "log"},
	},
	{
		why: "sinks carry lines and know nothing of what they say",
		of:  []string{"internal/sink"},
		may: []string{},
	},
	{
		why: "metrics are told, or read through functions, and know nobody who counts",
		of:  []string{"internal/metrics"},
		may: []string{"internal/event", "internal/stripe"},
	},
	{
		why: "live views are of events and keys alone",
		of:  []string{"internal/live"},
		may: []string{"internal/event", "internal/field"},
		std: []string{"os", "log"},
	},
	{
		why: "app is the root of the assembly",
		exc: []string{"internal/app", "cmd/rescind"},
		not: []string{"internal/app"},
	},
	{
		why: "the demo is a part of the command",
		exc: []string{"internal/demo", "cmd/rescind"},
		not: []string{"internal/demo"},
	},
	{
		why:  "other programs import the wire types",
		of:   []string{"api"},
		may:  []string{},
		pure: true,
	},
	{
		why: "other programs import the client",
		of:  []string{"client"},
		may: []string{"api"},
	},
}

func TestImports(t *testing.T) {
	all := sources(t)
	through := newGraph(all)
	for _, r := range rules {
		for _, s := range all {
			if r.applies(s) {
				r.check(t, s, through)
			}
		}
	}
}

// forTests are packages that all tests may import.
var forTests = []string{"internal/leak", "internal/ports"}

// Tests may import app: they start whole nodes. That, and what is made for tests, is
// exempt.
func (r rule) applies(s source) bool {
	if s.isTest() && slices.Equal(r.not, []string{"internal/app"}) {
		return false
	}
	return (len(r.of) == 0 || within(s.dir(), r.of)) && !within(s.dir(), r.exc)
}

func (r rule) check(t *testing.T, s source, through graph) {
	t.Helper()
	for _, dir := range s.ours() {
		if s.isTest() && within(dir, forTests) {
			continue
		}
		if r.may != nil && !within(dir, r.may) && !within(dir, r.of) {
			t.Errorf("%s imports %s: %s", s.path, dir, r.why)
		}
		if within(dir, r.not) {
			t.Errorf("%s imports %s: %s", s.path, dir, r.why)
		} else if len(r.of) > 0 && !s.isTest() {
			for _, not := range r.not {
				if via := through.path(dir, not); via != nil {
					t.Errorf("%s imports %s: %s", s.path, strings.Join(via, ", which imports "), r.why)
				}
			}
		}
	}
	for _, name := range s.imports {
		first, _, _ := strings.Cut(name, "/")
		if r.pure && strings.Contains(first, ".") && !strings.HasPrefix(name, module) {
			t.Errorf("%s imports %s: %s", s.path, name, r.why)
		}
		// A test may read its files.
		if !s.isTest() && within(name, r.std) {
			t.Errorf("%s imports %s: %s", s.path, name, r.why)
		}
	}
}

// within tells whether a folder is one of some or below one of them.
func within(dir string, some []string) bool {
	return slices.ContainsFunc(some, func(one string) bool {
		return dir == one || strings.HasPrefix(dir, one+"/")
	})
}

// graph is what each folder's package imports of the project, tests left out.
type graph map[string][]string

func newGraph(all []source) graph {
	g := graph{}
	for _, s := range all {
		if s.isTest() {
			continue
		}
		for _, dir := range s.ours() {
			if !slices.Contains(g[s.dir()], dir) {
				g[s.dir()] = append(g[s.dir()], dir)
			}
		}
	}
	return g
}

// path returns how from comes to import to, or nil where it does not.
func (g graph) path(from, to string) []string {
	seen := map[string]bool{}
	var search func(at string) []string
	search = func(at string) []string {
		if within(at, []string{to}) {
			return []string{at}
		}
		if seen[at] {
			return nil
		}
		seen[at] = true
		for _, next := range g[at] {
			if rest := search(next); rest != nil {
				return append([]string{at}, rest...)
			}
		}
		return nil
	}
	return search(from)
}
