package runtimetest_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
)

// image is what every container runs: a file system with busybox and a page.
const image = "localhost/tiny:1"

// page is what the containers' web servers serve.
const page = "a page of a container"

// rootfs is the file system, as a tar archive.
var rootfs = sync.OnceValues(func() ([]byte, error) {
	busybox, err := os.ReadFile(busyboxPath)
	if err != nil {
		return nil, err
	}
	a := archive{}
	for _, dir := range []string{"bin", "etc", "tmp", "www", "proc", "sys", "dev"} {
		a.add(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}, nil)
	}
	a.add(tar.Header{Name: "bin/busybox", Mode: 0o755}, busybox)
	for _, applet := range []string{"sh", "httpd", "sleep", "hostname", "true"} {
		a.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + applet, Linkname: "busybox", Mode: 0o777}, nil)
	}
	a.add(tar.Header{Name: "www/index.html", Mode: 0o644}, []byte(page+"\n"))
	a.add(tar.Header{Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0:root:/:/bin/sh\n"))
	return a.bytes()
})

const busyboxPath = "/usr/bin/busybox"

// rootfsFile writes the file system to a file, for engines that import one.
func rootfsFile(t testing.TB, path string) string {
	t.Helper()
	b, err := rootfs()
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// imageFile writes a docker-archive by hand: what "docker save" writes (the image specification 1.2).
func imageFile(t testing.TB, path string) string {
	t.Helper()
	layer, err := rootfs()
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{"Cmd": []string{"/bin/sleep", "1000"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{image}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := archive{}
	a.add(tar.Header{Name: "layer.tar", Mode: 0o644}, layer)
	a.add(tar.Header{Name: "config.json", Mode: 0o644}, config)
	a.add(tar.Header{Name: "manifest.json", Mode: 0o644}, manifest)
	b, err := a.bytes()
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An archive is being written; the first error stays.
type archive struct {
	b   bytes.Buffer
	w   *tar.Writer
	err error
}

func (a *archive) add(h tar.Header, content []byte) {
	if a.w == nil {
		a.w = tar.NewWriter(&a.b)
	}
	h.Size = int64(len(content))
	if a.err == nil {
		a.err = a.w.WriteHeader(&h)
	}
	if a.err == nil {
		_, a.err = a.w.Write(content)
	}
}

func (a *archive) bytes() ([]byte, error) {
	if a.err == nil {
		a.err = a.w.Close()
	}
	return a.b.Bytes(), a.err
}
