package config_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/config"
)

const examplePath = "../../docs/rescind.example.yaml"

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

func source(yaml string) config.Source {
	return config.Source{
		File: "edge.yaml", Data: []byte(yaml), Dir: "/etc/rescind", Hostname: "host-a",
		Env: env(map[string]string{
			"HOME": "/h", "PORT": "9000", "EMPTY": "", "BAD": "s3cret-in-env", "TOKEN": "s3cret-value",
		}),
	}
}

const minimal = `
listen: {http: ":8080"}
services:
  - {id: shop, domains: [www.example.com], origins: [{url: "http://127.0.0.1:9000"}]}
`

func parse(t *testing.T, yaml string) *config.Config {
	t.Helper()
	c, err := config.Parse(source(yaml))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return c
}

// The example shows the default of every setting that has one.
func TestExampleShowsDefaults(t *testing.T) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, string(example))
	want := parse(t, `
node: {name: fra1-a, pop: fra1}
listen: {http: ":8080"}
services:
  - id: shop
    domains: [www.example.com, "*.shop.example"]
    origins: [{url: "http://127.0.0.1:9000"}]
`)
	// An empty and an absent collection mean the same.
	got.Services[0].Cache.NegativeTTL, got.Services[0].TrustedProxies = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example does not show the defaults:\n got %+v\nwant %+v", got, want)
	}
}

// The settings that exist are taken from what the parser says is known in each
// section.
func TestExampleMentionsEverySetting(t *testing.T) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Parse(source(`
node: {zzzzzzzz: 1}
listen: {http: {zzzzzzzz: 1}, https: {zzzzzzzz: 1}, admin: {zzzzzzzz: 1}, zzzzzzzz: 1}
storage: {zzzzzzzz: 1}
limits: {zzzzzzzz: 1}
log: {zzzzzzzz: 1}
access_log: [{zzzzzzzz: 1, headers: {zzzzzzzz: 1}}]
purge_log: [{zzzzzzzz: 1}]
metrics: {zzzzzzzz: 1}
stackpath: {zzzzzzzz: 1}
zzzzzzzz: 1
services:
  - id: a
    zzzzzzzz: 1
    origins: [{zzzzzzzz: 1}]
    shield: {zzzzzzzz: 1}
    origin: {zzzzzzzz: 1, health: {zzzzzzzz: 1}, passive: {zzzzzzzz: 1}}
    cache: {zzzzzzzz: 1, query: {zzzzzzzz: 1}, compress: {zzzzzzzz: 1}}
    headers: {zzzzzzzz: 1, request: {zzzzzzzz: 1}, response: {zzzzzzzz: 1}}
    limits: {zzzzzzzz: 1}
    purge: {zzzzzzzz: 1, limits: {zzzzzzzz: 1}, tag_headers: [{zzzzzzzz: 1}]}
    debug: {zzzzzzzz: 1}
tokens: [{zzzzzzzz: 1}]
`))
	var problems config.Errors
	if !errors.As(err, &problems) {
		t.Fatalf("Parse: %v", err)
	}
	sections, names := 0, 0
	for _, problem := range problems {
		_, list, ok := strings.Cut(problem.Problem, "known here: ")
		if !ok {
			continue
		}
		sections++
		for name := range strings.SplitSeq(list, ", ") {
			names++
			if !regexp.MustCompile(`\b` + name + `:`).Match(example) {
				t.Errorf("the example does not show %s (%s)", name, problem.Setting)
			}
		}
	}
	if sections != 32 || names < 120 {
		t.Errorf("looked at %d sections and %d settings, want 32 and 120 or more", sections, names)
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// What the pages for operators show is a configuration that a node takes.
func TestDocumentedConfigurations(t *testing.T) {
	blocks := 0
	for _, page := range []string{"../../README.md", "../../docs/operating.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			yaml := block[1]
			if strings.Contains(yaml, "contexts:") || strings.Contains(yaml, "# …") {
				continue // the client's file; a part of a service
			}
			if !strings.Contains(yaml, "listen:") {
				yaml += "listen: {http: ':80'}\n"
			}
			if !strings.Contains(yaml, "services:") && !strings.Contains(yaml, "role: witness") {
				yaml += "services: [{id: shop, domains: ['*'], origins: [{url: 'http://127.0.0.1'}]}]\n"
			}
			src := source(yaml)
			src.Env = env(map[string]string{"DEPLOY_TOKEN": "t", "RESCIND_CLUSTER_SECRET": "0123456789abcdef", "NEW_SECRET": "0123456789abcdef-new"})
			if _, err := config.Parse(src); err != nil {
				t.Errorf("%s: %v\n%s", page, err, yaml)
			}
			blocks++
		}
	}
	if blocks < 4 {
		t.Errorf("found %d configurations, want 4 or more", blocks)
	}
}

// A witness serves no site, so that little is left to say.
func TestWitness(t *testing.T) {
	c := parse(t, `
cluster: {bind: "10.0.0.1:7946", secret: 0123456789abcdef, role: witness}
`)
	if c.Cluster.Role != config.RoleWitness || len(c.Services) != 0 || len(c.Listen.HTTP) != 0 || c.Listen.Admin.Address == "" {
		t.Errorf("%+v", c)
	}
}

func TestEverySettingIsRead(t *testing.T) {
	c := parse(t, `
node: {name: n1, pop: p1, data_dir: ~/data}
cluster:
  bind: "10.0.0.1:7946"
  advertise: "192.0.2.1:7946"
  join: [10.0.0.2:7946, "fra1.example:7946"]
  secret: [0123456789abcdef0, 0123456789abcdef1]
  role: node
  durable_on: 2
  wait_at_most: 40s
  isolation: {after: 41s, policy: refuse, at_start: serve}
listen:
  http:
    - ":8080"
    - {address: "127.0.0.1:8082", proxy_protocol: true, proxy_from: [10.0.0.0/8, "::1"]}
    - fd:web
  https: {address: ":8443", cert: edge.crt, key: /keys/edge.key, proxy_protocol: true, proxy_from: 10.1.0.0/16}
  admin: unix:run/admin.sock
  shield: "10.0.0.1:7950"
storage: {memory: 2GiB, max_variants: 15}
limits: {header_bytes: 32KiB, url_bytes: 4KB, header_fields: 64, header_timeout: 5s, idle_timeout: 1m,
  write_timeout: 20s, body_timeout: 25s, connections: 1000, connections_per_address: 50, body_bytes: 10MiB}
drain_timeout: 1m30s
log: {level: debug, format: json}
access_log:
  - {to: stdout, headers: {request: [User-Agent, referer], response: X-Cache}}
  - {to: "file:log/a b.log", format: '%h "%r" %s', only: status>=500}
  - {to: "https://u:p@logs.example/in?key=1", format: combined}
purge_log: [{to: "syslog+udp://logs:514?facility=local0"}]
metrics: {enabled: false}
stackpath: {per_minute: 18}
services:
  - id: Shop_1
    domains: ["WWW.Example.com.", "*.shop.example", "*"]
    origins:
      - {url: "HTTP://Origin.example:80/", host: Other.Example:8080, http2: true}
      - {url: "https://[::1]:8443", sni: name.example, tls_insecure: true}
    shield: {pop: fra1}
    origin:
      connect_timeout: 1s
      first_byte_timeout: 2s
      idle_timeout: 3s
      max_connections: 4
      retries: 0
      resolve_interval: 6s
      health: {path: /up, interval: 7s, timeout: 1s, healthy: 8, unhealthy: 9, expect_status: 204}
      passive: {failures: 0, eject_for: 11s}
    cache:
      default_ttl: 2m
      max_ttl: 1d
      negative_ttl: {404: 10s, 503: 1s}
      stale_while_revalidate: 12s
      stale_if_error: 13s
      keep: 0
      hit_for_miss: 14s
      query: {exclude: ["utm_*", fbclid]}
      set_cookie: strip
      request_directives: obey
      accept_encoding: pass
      groups: false
      compress: {encodings: [gzip, br], min_size: 2KB, types: [text/*, Application/JSON, +xml]}
      max_object: 1GiB
      store_close_delimited: true
    purge:
      allow_from: [10.0.0.0/8, 192.0.2.7]
      require_token: true
      dialect: varnish
      refresh: true
      undo_window: 16s
      limits: {per_hour: 17, all_per_hour: 0}
      tag_headers: [xkey, {name: X-Tags, separator: ", ", fold_case: true, keep: true}]
    headers:
      request: {set: {X-Edge: "1", x-empty: ""}, remove: Cookie}
      response: {set: {Server: edge}, add: {Link: ["<a>", "<b>"]}, remove: [X-Powered-By, X-Id]}
    error_pages: {default: err.html, 502: /pages/502.json, 5xx: err.txt, 404: err.htm}
    limits: {body_bytes: 0}
    debug: {allow_from: []}
    trusted_proxies: ["2001:db8::/32"]
    forwarded: true
    cache_status: false
tokens:
  - {name: deploy, value: "${TOKEN}", scopes: [purge_select, "global:read"], services: [Shop_1]}
`)
	yes := true
	prefixes := func(all ...string) (list []netip.Prefix) {
		for _, p := range all {
			list = append(list, netip.MustParsePrefix(p))
		}
		return list
	}
	want := &config.Config{
		Node: config.Node{Name: "n1", POP: "p1", DataDir: "/h/data"},
		Cluster: config.Cluster{
			Bind: "10.0.0.1:7946", Advertise: "192.0.2.1:7946", Join: []string{"10.0.0.2:7946", "fra1.example:7946"},
			Secret: []string{"0123456789abcdef0", "0123456789abcdef1"}, Role: config.RoleNode, DurableOn: 2, WaitAtMost: 40 * time.Second,
			Isolation: config.Isolation{After: 41 * time.Second, Policy: config.IsolationRefuse, AtStart: config.IsolationServe},
		},
		Listen: config.Listen{
			HTTP: []config.Listener{
				{Network: "tcp", Address: ":8080"},
				{Network: "tcp", Address: "127.0.0.1:8082", ProxyProtocol: true, ProxyFrom: prefixes("10.0.0.0/8", "::1/128")},
				{Network: "fd", Address: "web"},
			},
			HTTPS: []config.Listener{{Network: "tcp", Address: ":8443", Cert: "/etc/rescind/edge.crt", Key: "/keys/edge.key",
				ProxyProtocol: true, ProxyFrom: prefixes("10.1.0.0/16")}},
			Admin:  config.Listener{Network: "unix", Address: "/etc/rescind/run/admin.sock"},
			Shield: "10.0.0.1:7950",
		},
		Storage: config.Storage{Memory: 2 << 30, MaxVariants: 15},
		Limits: config.Limits{HeaderBytes: 32 << 10, URLBytes: 4000, HeaderFields: 64, HeaderTimeout: 5 * time.Second,
			IdleTimeout: time.Minute, WriteTimeout: 20 * time.Second, BodyTimeout: 25 * time.Second,
			Connections: 1000, ConnectionsPerAddress: 50, BodyBytes: 10 << 20},
		DrainTimeout: 90 * time.Second,
		Log:          config.Log{Level: config.LogDebug, Format: config.LogJSON},
		AccessLog: []config.AccessLog{
			{To: "stdout", Format: "json", Headers: config.LoggedHeaders{Request: []string{"User-Agent", "referer"}, Response: []string{"X-Cache"}}},
			{To: "file:/etc/rescind/log/a b.log", Format: `%h "%r" %s`, Only: "status>=500"},
			{To: "https://u:p@logs.example/in?key=1", Format: "combined"},
		},
		PurgeLog:  []config.PurgeLog{{To: "syslog+udp://logs:514?facility=local0"}},
		StackPath: config.StackPath{PerMinute: 18},
		Services: []config.Service{{
			ID:      "Shop_1",
			Domains: []string{"www.example.com", "*.shop.example", "*"},
			Origins: []config.Origin{
				{URL: "http://origin.example", Host: "other.example:8080", HTTP2: true},
				{URL: "https://[::1]:8443", SNI: "name.example", TLSInsecure: true},
			},
			Shield: config.Shield{POP: "fra1"},
			Pool: config.Pool{ConnectTimeout: time.Second, FirstByteTimeout: 2 * time.Second, IdleTimeout: 3 * time.Second,
				MaxConnections: 4, ResolveInterval: 6 * time.Second,
				Health:  config.Health{Path: "/up", Interval: 7 * time.Second, Timeout: time.Second, Healthy: 8, Unhealthy: 9, ExpectStatus: 204},
				Passive: config.Passive{EjectFor: 11 * time.Second}},
			Cache: config.Cache{DefaultTTL: 2 * time.Minute, MaxTTL: 24 * time.Hour,
				NegativeTTL:          map[int]time.Duration{404: 10 * time.Second, 503: time.Second},
				StaleWhileRevalidate: 12 * time.Second, StaleIfError: 13 * time.Second, HitForMiss: 14 * time.Second,
				Query:     config.Query{Mode: config.QueryExclude, Names: []string{"utm_*", "fbclid"}},
				SetCookie: config.SetCookieStrip, RequestDirectives: config.DirectivesObey, AcceptEncoding: config.EncodingPass,
				Compress: config.Compress{Encodings: []config.Encoding{config.EncodingGzip, config.EncodingBrotli}, MinSize: 2000,
					Types: []string{"text/*", "application/json", "+xml"}},
				MaxObject: 1 << 30, StoreCloseDelimited: true},
			Purge: config.Purge{AllowFrom: prefixes("10.0.0.0/8", "192.0.2.7/32"), RequireToken: true, Dialect: config.DialectVarnish, Refresh: true, UndoWindow: 16 * time.Second,
				Limits:     config.PurgeLimits{PerHour: 17},
				TagHeaders: []config.TagHeader{{Name: "xkey"}, {Name: "X-Tags", Separator: ", ", FoldCase: &yes, Keep: true}}},
			Headers: config.HeaderRules{
				Request: config.HeaderRule{Remove: []string{"Cookie"}, Set: []config.Header{{Name: "X-Edge", Value: "1"}, {Name: "x-empty"}}},
				Response: config.HeaderRule{Remove: []string{"X-Powered-By", "X-Id"}, Set: []config.Header{{Name: "Server", Value: "edge"}},
					Add: []config.Header{{Name: "Link", Value: "<a>"}, {Name: "Link", Value: "<b>"}}},
			},
			ErrorPages: []config.ErrorPage{
				{From: 404, To: 404, ContentType: "text/html; charset=utf-8"},
				{From: 502, To: 502, ContentType: "application/json"},
				{From: 500, To: 599, ContentType: "text/plain; charset=utf-8"},
				{From: 400, To: 599, ContentType: "text/html; charset=utf-8"},
			},
			TrustedProxies: prefixes("2001:db8::/32"),
			Forwarded:      true,
		}},
		Tokens: []config.Token{{Name: "deploy", Hash: sha256.Sum256([]byte("s3cret-value")),
			Scopes: []config.Scope{config.ScopePurgeSelect, config.ScopeGlobalRead}, Services: []string{"Shop_1"}}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestDefaultsThatDependOnOthers(t *testing.T) {
	c := parse(t, "storage: {memory: 16MiB}\n"+minimal)
	if c.Node.Name != "host-a" || c.Node.POP != "host-a" {
		t.Errorf("node %+v, want the host's name", c.Node)
	}
	if got := c.Services[0].Cache.MaxObject; got != 8<<20 {
		t.Errorf("max_object %s, want half of the memory", got)
	}
}

// Members are told the port, so there is one wherever there is a cluster.
func TestShieldPort(t *testing.T) {
	const secret = ", secret: 0123456789abcdef"
	for cluster, want := range map[string]string{
		"":                                       "",
		`{bind: "10.0.0.1:7946"` + secret + "}":  "10.0.0.1:7948",
		`{bind: "[::]:7946"` + secret + "}":      "[::]:7948",
		`{bind: "10.0.0.1:65534"` + secret + "}": "",
	} {
		yaml := minimal
		if cluster != "" {
			yaml = "cluster: " + cluster + "\n" + minimal
		}
		if got := parse(t, yaml).Listen.Shield; got != want {
			t.Errorf("cluster: %s: listen.shield %q, want %q", cluster, got, want)
		}
	}
}

func TestQueryRules(t *testing.T) {
	for yaml, want := range map[string]config.Query{
		"all":                       {Mode: config.QueryAll},
		"sorted":                    {Mode: config.QuerySorted},
		"ignore":                    {Mode: config.QueryIgnore},
		`{include: [page, "f_*"]}`:  {Mode: config.QueryInclude, Names: []string{"page", "f_*"}},
		"{include: []}":             {Mode: config.QueryInclude},
		`{exclude: ["utm_*", "*"]}`: {Mode: config.QueryExclude, Names: []string{"utm_*", "*"}},
	} {
		c := parse(t, strings.Replace(minimal, "{id: shop", "{id: shop, cache: {query: "+yaml+"}", 1))
		if got := c.Services[0].Cache.Query; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", yaml, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	c := parse(t, `
node: {pop: "${EMPTY}p${PORT}-${PORT}"}
listen: {http: ":${PORT}"}
services:
  - {id: shop, domains: [www.example.com], origins: [{url: "http://127.0.0.1:${PORT}"}], cache: {query: {include: ["$${x}", "$y"]}}}
`)
	if c.Node.POP != "p9000-9000" || c.Listen.HTTP[0].Address != ":9000" || c.Services[0].Origins[0].URL != "http://127.0.0.1:9000" {
		t.Errorf("got %+v", c)
	}
	if got := c.Services[0].Cache.Query.Names; !slices.Equal(got, []string{"${x}", "$y"}) {
		t.Errorf("escaped: %q", got)
	}
}

func TestAnchorsAndMerge(t *testing.T) {
	c := parse(t, `
listen: {http: ":8080"}
services:
  - id: a
    domains: [a.example]
    origins: &origins [{url: "http://127.0.0.1:9000"}]
    cache: &policy {default_ttl: 1m, keep: 2m}
  - id: b
    domains: [b.example]
    origins: *origins
    cache:
      <<: *policy
      keep: 3m
`)
	b := c.Services[1]
	if b.Cache.DefaultTTL != time.Minute || b.Cache.Keep != 3*time.Minute || b.Origins[0].URL != "http://127.0.0.1:9000" {
		t.Errorf("got %+v", b)
	}
}

// In YAML, a colon is part of a plain value unless a space follows it.
func TestColonsInLists(t *testing.T) {
	c := parse(t, `
listen: {http: [127.0.0.1:8080, host-b:8082]}
services:
  - {id: a, domains: [a.example], origins: [{url: http://127.0.0.1:9000}], trusted_proxies: [2001:db8::/32, "::1"]}
tokens: [{name: t, value: v, scopes: [purge_all, global:read]}]
`)
	if got := fmt.Sprint(c.Listen.HTTP, c.Services[0].TrustedProxies, c.Tokens[0].Scopes); got !=
		"[127.0.0.1:8080 host-b:8082] [2001:db8::/32 ::1/128] [purge_all global:read]" {
		t.Errorf("got %s", got)
	}
}

func TestTokensAreNeverShown(t *testing.T) {
	c := parse(t, minimal+`tokens: [{name: deploy, value: "${TOKEN}", scopes: [global]}]`)
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte("s3cret-value")))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, "s3cret") || strings.Contains(text, hash) {
			t.Errorf("%s shows the token: %s", verb, text)
		}
	}
	byHash := parse(t, minimal+`tokens: [{name: deploy, hash: "sha256:`+hash+`", scopes: [global]}]`)
	if byHash.Tokens[0].Hash != c.Tokens[0].Hash {
		t.Error("a token by its hash is another than by its value")
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "edge.yaml")
	if _, err := config.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of a missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("node: {name: n, data_dir: data}\n"+minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(path), "data"); c.Node.DataDir != want {
		t.Errorf("data_dir %s, want %s", c.Node.DataDir, want)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := config.Parse(source(strings.Repeat("# comment\n", 1<<19)))
	if err == nil || !strings.Contains(err.Error(), "larger than 4MiB") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add(minimal)
	f.Add("a: &a [*a]\n<<: *a")
	f.Add("services: [{origins: [{url: }]}, ~, 1, []]")
	f.Add("? [a]\n: b")
	f.Add("node: {name: '${BAD}'}\ntokens: [{name: '${BAD}', value: '${BAD}'}]")
	f.Add("x: &a {<<: {b: ${")
	f.Fuzz(func(t *testing.T, yaml string) {
		if len(yaml) > 1<<16 || strings.Contains(yaml, "s3cret") {
			return
		}
		src := source(yaml)
		src.Env = env(map[string]string{"HOME": "/h", "BAD": "s3cret in env"}) // valid for nothing that errors quote
		c, err := config.Parse(src)
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Fatalf("an error shows the environment: %v", err)
		}
	})
}
