package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const (
	varnishName      = "Varnish"
	varnishNoLogName = "Varnish without an access log"
)

const varnishConfig = `vcl 4.1;
import xkey;
backend default { .host = "%s"; .port = "%s"; }
sub vcl_recv {
    if (req.method == "PURGEKEY") {
        return (synth(200, "Purged " + xkey.purge(req.http.xkey-purge)));
    }
}
sub vcl_backend_response {
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    unset beresp.http.Surrogate-Key;
}
sub vcl_deliver {
    unset resp.http.xkey;
    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }
}
`

// startVarnish runs Varnish and, unless told otherwise, varnishncsa, which is
// how Varnish keeps an access log, on the same core.
func startVarnish(l *lab, set settings) (*server, error) {
	ports, err := freeAddresses(1)
	if err != nil {
		return nil, err
	}
	name := varnishName
	if set.noLog {
		name = varnishNoLogName
	}
	dir, err := l.serverDir("varnish")
	if err != nil {
		return nil, err
	}
	config, work := filepath.Join(dir, "bench.vcl"), filepath.Join(dir, "work")
	host, port := splitAddress(l.originAt)
	if err := os.WriteFile(config, fmt.Appendf(nil, varnishConfig, host, port), 0o600); err != nil {
		return nil, err
	}
	s := &server{name: name, dir: dir, http: ports[0], h2: ports[0]}
	s.purging = &purging{address: ports[0], request: varnishPurge}
	s.fill = func() (filling, error) { return varnishFilling(l, work) }
	err = l.launch(s, spawn{name: "varnishd", args: []string{
		l.tools["varnishd"], "-F", "-j", "none", "-n", work, "-a", ports[0], "-f", config,
		"-s", fmt.Sprintf("bench=malloc,%db", set.memory), "-t", "86400",
		"-p", "feature=+http2", "-p", "thread_pool_min=200", "-p", "timeout_idle=3600",
		"-p", "listen_depth=4096", "-p", "nuke_limit=1000",
	}})
	if err != nil || set.noLog {
		return s, err
	}
	s.accessLog = filepath.Join(dir, "access.log")
	return s, l.launch(s, spawn{name: "varnishncsa", args: []string{l.tools["varnishncsa"], "-n", work, "-a", "-w", s.accessLog}})
}

// varnishPurge sends keys as xkey.purge takes them: with spaces between.
func varnishPurge(keys ...string) purgeRequest {
	field := "xkey-purge:"
	for _, k := range keys {
		field += " " + k
	}
	return purgeRequest{method: "PURGEKEY", path: "/", fields: []string{field}}
}

func varnishFilling(l *lab, work string) (filling, error) {
	text, err := l.generate("varnishstat", []string{l.tools["varnishstat"], "-n", work, "-j"})
	if err != nil {
		return filling{}, err
	}
	return parseVarnishstat([]byte(text))
}

func parseVarnishstat(text []byte) (filling, error) {
	var stat struct {
		Counters map[string]struct {
			Value int64 `json:"value"`
		} `json:"counters"`
	}
	if err := json.Unmarshal(text, &stat); err != nil {
		return filling{}, fmt.Errorf("varnishstat: %w", err)
	}
	objects, ok := stat.Counters["MAIN.n_object"]
	if !ok {
		return filling{}, fmt.Errorf("varnishstat does not know MAIN.n_object:\n%.500s", text)
	}
	return filling{
		objects: objects.Value, bytes: stat.Counters["SMA.bench.g_bytes"].Value, evicted: stat.Counters["MAIN.n_lru_nuked"].Value,
	}, nil
}
