//go:build e2e

package test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/ports"
)

// nginxConf serves a folder as a site with a cache in front does it. A response
// says which request it answers and how, so that a stored one can be told from
// a new one, and one that a 304 renewed from both.
const nginxConf = `
daemon off;
user root;
error_log stderr;
pid %DIR%/pid;
events {}
http {
	access_log off;
	client_body_temp_path %DIR%/body;
	proxy_temp_path %DIR%/proxy;
	fastcgi_temp_path %DIR%/fastcgi;
	uwsgi_temp_path %DIR%/uwsgi;
	scgi_temp_path %DIR%/scgi;
	types { text/html html; text/css css; application/octet-stream bin; }
	default_type text/plain;
	gzip on;
	gzip_vary on;
	gzip_proxied any;
	gzip_min_length 20;
	gzip_types text/plain text/css;
	map $uri $keys {
		~^/products/(?<id>[0-9]+) "product-$id products";
		default "pages";
	}
	map $uri $life {
		~^/silent/ "";
		~^/strict/ "max-age=600, must-revalidate";
		~^/plain/ "max-age=600";
		default "max-age=600, stale-while-revalidate=60, stale-if-error=600";
	}
	add_header Surrogate-Key $keys;
	add_header Cache-Control $life;
	add_header X-Origin-Request $request_id;
	add_header X-Origin-Status $status;
	server {
		listen %ADDRESS%;
		root %DIR%/site;
	}
}
`

// nginx is an origin that serves files.
type nginx struct {
	*process
	t    *testing.T
	addr string
	dir  string
	tick time.Time // of the next file's last change
}

// startNginx runs an origin until the test ends.
func startNginx(t *testing.T) *nginx {
	t.Helper()
	o := &nginx{t: t, dir: t.TempDir(), tick: time.Now().Add(-24 * time.Hour)}
	if err := os.MkdirAll(filepath.Join(o.dir, "site"), 0o755); err != nil {
		t.Fatal(err)
	}
	o.listen(fmt.Sprintf("127.0.0.1:%d", ports.For(t, 1)[0])) // which again finds free
	return o
}

// again runs the origin again at the address that it had.
func (o *nginx) again() {
	o.t.Helper()
	o.listen(o.addr)
}

// listen gives nginx a listener as nginx gives one to its successor, so that
// nobody can take the port in between. It works only with a master process:
// without, nginx 1.22 crashes.
func (o *nginx) listen(address string) {
	o.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		o.t.Fatal(err)
	}
	defer l.Close()
	inherited, err := l.(*net.TCPListener).File()
	if err != nil {
		o.t.Fatal(err)
	}
	defer inherited.Close()
	o.addr = l.Addr().String()
	conf := filepath.Join(o.dir, "nginx.conf")
	writeFile(o.t, conf, strings.NewReplacer("%DIR%", o.dir, "%ADDRESS%", o.addr).Replace(nginxConf))
	cmd := exec.Command("nginx", "-p", o.dir, "-c", conf)
	cmd.Env = append(os.Environ(), "NGINX=3;") // the first of ExtraFiles
	cmd.ExtraFiles = []*os.File{inherited}
	o.process = start(o.t, "nginx", cmd)
}

func (o *nginx) url() string { return "http://" + o.addr }

// write puts a file of the site. Every file gets a later time than the one
// before: nginx makes entity tags of the second of the last change and the
// length.
func (o *nginx) write(path, content string) {
	o.t.Helper()
	name := filepath.Join(o.dir, "site", filepath.FromSlash(path))
	writeFile(o.t, name, content)
	o.tick = o.tick.Add(time.Minute)
	if err := os.Chtimes(name, o.tick, o.tick); err != nil {
		o.t.Fatal(err)
	}
}
