package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ProcSys is the calling process's /proc/sys: that of the namespace that warren was called from.
type ProcSys struct{}

func procSysPath(key string) (string, error) {
	if !filepath.IsLocal(key) || !strings.HasPrefix(key, "net/") {
		return "", fmt.Errorf("sysctl key %q is not one below net/", key)
	}
	return "/proc/sys/" + key, nil
}

// Read implements Sysctls.
func (ProcSys) Read(key string) (string, error) {
	path, err := procSysPath(key)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	return strings.TrimRight(string(data), "\n"), err
}

// Write implements Sysctls. Unlike a shell's redirection it makes no file.
func (ProcSys) Write(key, value string) error {
	path, err := procSysPath(key)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(value); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// List implements Sysctls.
func (ProcSys) List(dir string) ([]string, error) {
	path, err := procSysPath(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}
