package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/config"
)

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	file, closed := filepath.Join(dir, "file"), filepath.Join(dir, "closed")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		data, log string
		want      []string // what the warnings begin with
		asUser    bool     // root may write everywhere
	}{
		{data: "", log: "stdout"},
		{data: dir, log: "file:" + filepath.Join(dir, "access.log")},
		{data: filepath.Join(dir, "a/b/c"), log: "syslog+udp://logs:514"},
		{data: file, log: "file:" + filepath.Join(dir, "none/access.log"), want: []string{"node.data_dir: " + file + " is not", "access_log[0].to: stat ", "purge_log[0].to: "}},
		{data: filepath.Join(file, "a"), log: "stdout", want: []string{"node.data_dir: "}},
		{data: filepath.Join(closed, "a"), log: "file:" + filepath.Join(closed, "log"), asUser: true,
			want: []string{"node.data_dir: " + closed + " cannot be written to", "access_log[0].to: ", "purge_log[0].to: "}},
	} {
		if tc.asUser && os.Getuid() == 0 {
			continue
		}
		cfg := &config.Config{Node: config.Node{DataDir: tc.data}, AccessLog: []config.AccessLog{{To: tc.log}}, PurgeLog: []config.PurgeLog{{To: tc.log}}}
		got := Warnings(cfg)
		if !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
			t.Errorf("%q, %q: %q", tc.data, tc.log, got)
		}
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "a*")); len(made) > 0 {
		t.Errorf("made %q", made)
	}
}
