package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rescind-edge/rescind/internal/config"
)

// Warnings says what of a configuration would keep a node from its files, as far
// as whoever asks can tell: the node may be another user, or run where other
// directories are. Nothing is made or changed.
func Warnings(cfg *config.Config) (list []string) {
	if dir := cfg.Node.DataDir; dir != "" {
		if err := canMake(dir); err != nil {
			list = append(list, fmt.Sprintf("node.data_dir: %v", err))
		}
	}
	file := func(setting string, i int, to string) {
		path, ok := strings.CutPrefix(to, "file:")
		if !ok {
			return
		}
		if err := canWrite(filepath.Dir(path)); err != nil {
			list = append(list, fmt.Sprintf("%s[%d].to: %v", setting, i, err))
		}
	}
	for i, log := range cfg.AccessLog {
		file("access_log", i, log.To)
	}
	for i, log := range cfg.PurgeLog {
		file("purge_log", i, log.To)
	}
	return list
}

// canMake tells whether a directory is there, or can be made, and written to.
func canMake(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		err := canWrite(at)
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return err
		}
	}
}

// canWrite tells whether a directory is there and files can be made in it.
func canWrite(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if err := writable(dir); err != nil {
		return fmt.Errorf("%s cannot be written to by this user: %w", dir, err)
	}
	return nil
}
