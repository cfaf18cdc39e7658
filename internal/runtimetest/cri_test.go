package runtimetest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A criClient speaks the little of the Container Runtime Interface (k8s.io/cri-api, runtime/v1/api.proto) that starts and ends
// pods: gRPC is HTTP/2 with a length before each message, and a message is a list of numbered fields.
type criClient struct {
	t    *testing.T
	http *http.Client
	pods map[string]podConfig
}

func newCRI(t *testing.T, socket string) *criClient {
	t.Helper()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &criClient{t: t, http: &http.Client{Transport: transport}, pods: map[string]podConfig{}}
}

// call calls a method of the service and returns the fields of its answer.
func (c *criClient) call(method string, request message) fields {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request))), request...)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cri/runtime.v1.RuntimeService/"+method, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("TE", "trailers")
	answer, err := c.http.Do(r)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	trailer := func(name string) string {
		text, _ := url.PathUnescape(answer.Header.Get(name) + answer.Trailer.Get(name))
		return text
	}
	if status := trailer("Grpc-Status"); status != "0" || len(b) < 5 {
		c.t.Fatalf("%s: status %s: %s", method, status, trailer("Grpc-Message"))
	}
	f, err := parseFields(b[5:])
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return f
}

// A podConfig is what this package says of a pod.
type podConfig struct {
	name, uid, namespace string
	parent               string // control group, "" = the engine chooses
	hostPort, port       uint64 // that is published, 0 = none
}

func (p podConfig) message() message {
	m := message{}.bytes(1, message{}.text(1, p.name).text(2, p.uid).text(3, p.namespace)).text(2, p.name).
		bytes(8, message{}.text(1, p.parent))
	if p.port != 0 {
		m = m.bytes(5, message{}.number(2, p.port).number(3, p.hostPort))
	}
	return m
}

func (c *criClient) runPod(p podConfig) (id string) {
	c.t.Helper()
	id = c.call("RunPodSandbox", message{}.bytes(1, p.message())).text(1)
	c.pods[id] = p
	return id
}

// start makes a container in a pod and starts it.
func (c *criClient) start(pod, name string, argv ...string) (id string) {
	c.t.Helper()
	config := message{}.bytes(1, message{}.text(1, name)).bytes(2, message{}.text(1, image))
	for _, a := range argv {
		config = config.text(3, a)
	}
	id = c.call("CreateContainer", message{}.text(1, pod).bytes(2, config).bytes(3, c.pods[pod].message())).text(1)
	c.call("StartContainer", message{}.text(1, id))
	return id
}

func (c *criClient) removePod(id string) {
	c.t.Helper()
	c.call("StopPodSandbox", message{}.text(1, id))
	c.call("RemovePodSandbox", message{}.text(1, id))
}

// sandbox is the container that holds a pod's namespace: CRI gives it no name.
func (c *criClient) sandbox(e *engine, id, pod string) *box {
	c.t.Helper()
	b := c.container(e, id, id, id[:12])
	b.who, b.containers = pod, []string{b.name}
	status, err := parseFields([]byte(c.call("PodSandboxStatus", message{}.text(1, id)).text(1)))
	if err != nil {
		c.t.Fatal(err)
	}
	network, err := parseFields([]byte(status.text(5)))
	if err != nil {
		c.t.Fatal(err)
	}
	b.addr = network.text(1)
	return b
}

// container is one of a pod's.
func (c *criClient) container(e *engine, pod, id, name string) *box {
	c.t.Helper()
	for line := range strings.Lines(e.run("ctr", "-n", "k8s.io", "tasks", "ls")) {
		var pid int
		if _, err := fmt.Sscanf(line, id+" %d", &pid); err == nil {
			return &box{owner: "kubernetes", name: name, id: id, pid: pid}
		}
	}
	c.t.Fatalf("ctr has no task %s of pod %s", id, pod)
	return nil
}

// A message is the wire form of protocol buffers.
type message []byte

func (m message) number(field int, v uint64) message {
	return message(binary.AppendUvarint(binary.AppendUvarint(m, uint64(field)<<3), v))
}

func (m message) bytes(field int, v []byte) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|2)
	return append(binary.AppendUvarint(m, uint64(len(v))), v...)
}

func (m message) text(field int, v string) message { return m.bytes(field, []byte(v)) }

// fields are those of a message that are texts or messages: the last of each number.
type fields map[int]string

func (f fields) text(field int) string { return f[field] }

func parseFields(b []byte) (fields, error) {
	f := fields{}
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return 0
		}
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		tag := next()
		v := next()
		switch {
		case tag&7 == 0:
		case tag&7 == 2 && v <= uint64(len(b)):
			f[int(tag>>3)] = string(b[:v])
			b = b[v:]
		default:
			return nil, errors.New("not an answer of CRI's")
		}
	}
	return f, nil
}
