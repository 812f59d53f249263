package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	nginxName         = "nginx"
	nginxSendfileName = "nginx with sendfile"
)

// Ways for nginx to send what is in its cache. With sendfile, small objects take
// one call more each, and tcp_nopush makes large ones wait 40 ms for an
// acknowledgement on loopback. Read through buffers that hold a whole object,
// small ones are a third quicker and large ones hardly slower.
const (
	nginxBuffers  = "sendfile off; output_buffers 2 128k;"
	nginxSendfile = "sendfile on; tcp_nopush off;"
)

// Files of the cache are in memory and stay open. A zone of 256 MB has room for
// two million keys.
const nginxConfig = `daemon off;
worker_processes 1;
%[1]s
pid %[2]s/nginx.pid;
error_log %[2]s/error.log warn;
worker_rlimit_nofile 65536;
events {
    worker_connections 8192;
    accept_mutex off;
    use epoll;
}
http {
    %[10]s
    tcp_nodelay on;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    access_log %[2]s/access.log combined buffer=64k flush=1s;
    open_file_cache max=20000 inactive=1h;
    open_file_cache_valid 1h;
    open_file_cache_min_uses 1;
    client_body_temp_path %[2]s/tmp-body;
    proxy_temp_path %[2]s/tmp-proxy;
    fastcgi_temp_path %[2]s/tmp-fastcgi;
    uwsgi_temp_path %[2]s/tmp-uwsgi;
    scgi_temp_path %[2]s/tmp-scgi;
    proxy_cache_path %[2]s/cache levels=1:2 keys_zone=bench:256m inactive=1d max_size=%[3]d use_temp_path=off;
    upstream origin {
        server %[4]s;
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }
    server {
        listen %[5]s backlog=4096;
        listen %[6]s http2 backlog=4096;
        listen %[7]s ssl http2 backlog=4096;
        ssl_certificate %[8]s;
        ssl_certificate_key %[9]s;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_cache bench;
            proxy_cache_key $request_uri;
            proxy_hide_header Surrogate-Key;
            add_header X-Cache $upstream_cache_status;
        }
    }
}
`

func startNginx(l *lab, set settings) (*server, error) {
	ports, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	dir, err := l.serverDir("nginx")
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // else the worker may not enter the directory
	}
	name, way := nginxName, nginxBuffers
	if set.sendfile {
		name, way = nginxSendfileName, nginxSendfile
	}
	text := fmt.Sprintf(nginxConfig, user, dir, set.memory, l.originAt, ports[0], ports[1], ports[2], l.cert, l.key, way)
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &server{name: name, dir: dir, http: ports[0], h2: ports[1], https: ports[2], accessLog: filepath.Join(dir, "access.log")}
	return s, l.launch(s, spawn{name: "nginx", args: []string{l.tools["nginx"], "-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log")}})
}
