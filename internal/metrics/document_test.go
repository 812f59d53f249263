package metrics

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/metrics.md")

// TestCatalogIsWhatIsShown compares what a busy node shows with the catalog, so
// that neither has anything that the other lacks.
func TestCatalogIsWhatIsShown(t *testing.T) {
	families, err := busy().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "rescind_") {
			shown[f.GetName()] = signature(kind(strings.ToLower(f.GetType().String())), labelsOf(f.GetMetric()[0]))
		}
	}
	listed := map[string]string{}
	for _, section := range catalog() {
		for _, d := range section.metrics {
			if listed[d.name] != "" {
				t.Errorf("%s is listed twice", d.name)
			}
			listed[d.name] = signature(d.kind, d.labels)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if listed[name] != shown[name] {
			t.Errorf("%s is a %s; the catalog has %q", name, shown[name], listed[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if shown[name] == "" {
			t.Errorf("%s is listed and not shown", name)
		}
	}
}

func signature(k kind, labels []string) string {
	return fmt.Sprintf("%s %v", k, slices.Sorted(slices.Values(labels)))
}

func labelsOf(m *dto.Metric) (names []string) {
	for _, l := range m.GetLabel() {
		names = append(names, l.GetName())
	}
	return names
}

// TestCollectorDescribesWhatItSends uses a registry that insists on it.
func TestCollectorDescribesWhatItSends(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(newCollector(fullSources()))
	if _, err := r.Gather(); err != nil {
		t.Error(err)
	}
}

// TestNamesFollowTheConventions lints as promtool would.
func TestNamesFollowTheConventions(t *testing.T) {
	families, err := busy().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "rescind_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// The tables stand between these lines.
const (
	begin = "<!-- made by go test ./internal/metrics -update: do not edit below -->\n"
	end   = "<!-- end of what is made -->\n"
)

func TestDocumentIsCurrent(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "metrics.md")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	made, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the tables", file)
	}
	if made == tables() {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the definitions say: run go test ./internal/metrics -update", file)
	}
	if err := os.WriteFile(file, []byte(head+begin+tables()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

func tables() string {
	var b strings.Builder
	for _, section := range catalog() {
		fmt.Fprintf(&b, "\n### %s\n\n| Metric | Type | Labels | |\n|---|---|---|---|\n", section.title)
		for _, d := range section.metrics {
			labels := ""
			if len(d.labels) > 0 {
				labels = "`" + strings.Join(d.labels, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.name, d.kind, labels, d.help)
		}
	}
	return b.String() + "\n"
}

// TestAlertsNameMetricsThatAreThere finds every metric named in the document.
func TestAlertsNameMetricsThatAreThere(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, section := range catalog() {
		for _, d := range section.metrics {
			known[d.name] = true
			if d.kind == histogram {
				known[d.name+"_bucket"], known[d.name+"_sum"], known[d.name+"_count"] = true, true, true
			}
		}
	}
	notName := func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}
	for _, word := range strings.FieldsFunc(string(data), notName) {
		if strings.HasPrefix(word, "rescind_") && !known[word] {
			t.Errorf("there is no %s", word)
		}
	}
}
