package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// longLoad runs the load test with the real site and prints its figures: SPOTTER_LOAD=1.
var longLoad = os.Getenv("SPOTTER_LOAD") != ""

// loadClients is how many clients fetch everything at the same time.
const loadClients = 500

// heapGrowth is what may be left on the heap after all clients have gone: the pools of
// net/http and crypto/tls hold some.
const heapGrowth = 12 << 20

// loaded is a server under load and what its clients saw.
type loaded struct {
	t      *testing.T
	site   Site
	server *http.Server
	addr   string
	scheme string
	trust  *tls.Config // of clients; nil without TLS
	bytes  atomic.Int64
	count  atomic.Int64
	lock   sync.Mutex
	times  []time.Duration
}

// startLoaded serves a site on a real port, with HTTP/2 over TLS or plain HTTP/1.1.
func startLoaded(t *testing.T, site Site, secure bool) *loaded {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &loaded{t: t, site: site, server: NewServer(NewHandler(site)), addr: listener.Addr().String(), scheme: "http"}
	ended := make(chan error, 1)
	if secure {
		certificate, err := Certificate("", nil)
		if err != nil {
			t.Fatal(err)
		}
		l.scheme = "https"
		l.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		l.trust = &tls.Config{InsecureSkipVerify: true} // the test's own certificate
		go func() { ended <- l.server.ServeTLS(listener, "", "") }()
	} else {
		go func() { ended <- l.server.Serve(listener) }()
	}
	t.Cleanup(func() {
		_ = l.server.Close()
		<-ended
	})
	return l
}

// client is one with connections of its own.
func (l *loaded) client() *http.Client {
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if l.trust != nil {
		transport.TLSClientConfig = l.trust.Clone()
	}
	return &http.Client{Transport: transport, Timeout: 2 * time.Minute}
}

func (l *loaded) url(name string) string { return l.scheme + "://" + l.addr + "/" + name }

// get fetches a file and checks each byte of it.
func (l *loaded) get(client *http.Client, name string) error {
	start := time.Now()
	request, err := http.NewRequest("GET", l.url(name), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept-Encoding", "identity")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if l.scheme == "https" && response.ProtoMajor != 2 {
		return fmt.Errorf("%s: %s rather than HTTP/2", name, response.Proto)
	}
	if err := same(response.Body, l.site[name].Data); err != nil || response.StatusCode != 200 {
		return fmt.Errorf("%s: %d, %w", name, response.StatusCode, err)
	}
	l.bytes.Add(int64(len(l.site[name].Data)))
	l.count.Add(1)
	l.lock.Lock()
	l.times = append(l.times, time.Since(start))
	l.lock.Unlock()
	return nil
}

// same compares a body with what it should be, without holding a copy.
func same(body io.Reader, want []byte) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if n > len(want) || !bytes.Equal(buffer[:n], want[:n]) {
			return fmt.Errorf("other bytes, %d before the end", len(want))
		}
		want = want[n:]
		switch {
		case err == io.EOF && len(want) == 0:
			return nil
		case err == io.EOF:
			return fmt.Errorf("%d bytes are missing", len(want))
		case err != nil:
			return err
		}
	}
}

// big is the site's largest file.
func (l *loaded) big() string {
	return slices.MaxFunc(l.site.Names(), func(a, b string) int { return len(l.site[a].Data) - len(l.site[b].Data) })
}

// part fetches a random range of the largest file.
func (l *loaded) part(client *http.Client) error {
	name := l.big()
	data := l.site[name].Data
	from := rand.IntN(len(data) - 1)
	to := min(len(data)-1, from+rand.IntN(64<<10))
	request, err := http.NewRequest("GET", l.url(name), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusPartialContent {
		return fmt.Errorf("bytes %d-%d: %d", from, to, response.StatusCode)
	}
	return same(response.Body, data[from:to+1])
}

// leave begins to download the largest file, slowly, and goes away in the middle.
func (l *loaded) leave(client *http.Client, pause time.Duration) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", l.url(l.big()), nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	buffer := make([]byte, 4<<10)
	for range 10 {
		if _, err := io.ReadFull(response.Body, buffer); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// refused sends a bad method.
func (l *loaded) refused(client *http.Client) error {
	request, err := http.NewRequest("DELETE", l.url("models.json"), strings.NewReader("{}"))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		return fmt.Errorf("DELETE: %d", response.StatusCode)
	}
	return nil
}

// crowd lets all clients work at once, each as its number says, and gathers their errors.
func (l *loaded) crowd(clients int) {
	l.t.Helper()
	errs := make(chan error, clients)
	for i := range clients {
		go func() {
			client := l.client()
			defer client.CloseIdleConnections()
			switch i % 10 {
			case 0:
				errs <- l.part(client)
			case 1:
				errs <- l.leave(client, 10*time.Millisecond)
			case 2:
				errs <- l.leave(client, 0)
			case 3:
				errs <- l.refused(client)
			default:
				errs <- nil
			}
		}()
	}
	all := make(chan error, clients)
	for range clients {
		go func() {
			client := l.client()
			defer client.CloseIdleConnections()
			names := l.site.Names()
			rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			for _, name := range names {
				if err := l.get(client, name); err != nil {
					all <- err
					return
				}
			}
			all <- nil
		}()
	}
	failed := 0
	for range clients {
		for _, err := range []error{<-errs, <-all} {
			if err != nil {
				failed++
				if failed < 5 {
					l.t.Error(err)
				}
			}
		}
	}
	if failed > 0 {
		l.t.Errorf("%d of %d clients failed", failed, 2*clients)
	}
}

// loadSite is the real site, or for the short test a small one.
func loadSite(t *testing.T) Site {
	if longLoad {
		return testSite(t)
	}
	s := small()
	s.addHashed("models/weights.bin", bytes.Repeat([]byte("0123456789abcdef"), 16<<10)) // 256 KB
	return s
}

// heap is what is live after a collection, and how many goroutines run.
func heap() (bytes uint64, goroutines int) {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, runtime.NumGoroutine()
}

func TestServerUnderLoad(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2 over TLS"}[secure], func(t *testing.T) {
			l := startLoaded(t, loadSite(t), secure)
			l.crowd(20) // fills pools and caches
			before, goroutines := heap()
			l.bytes.Store(0)
			l.count.Store(0)
			l.times = nil
			start := time.Now()
			l.crowd(loadClients)
			took := time.Since(start)
			after, left := heap()
			for end := time.Now().Add(5 * time.Second); left > goroutines+10 && time.Now().Before(end); after, left = heap() {
				time.Sleep(50 * time.Millisecond) // closed connections are noticed in a moment
			}
			if after > before+heapGrowth {
				t.Errorf("the heap grew from %.1f to %.1f MB", float64(before)/1e6, float64(after)/1e6)
			}
			if left > goroutines+10 {
				t.Errorf("%d goroutines before, %d after", goroutines, left)
			}
			slices.Sort(l.times)
			quantile := func(q float64) time.Duration {
				return l.times[int(q*float64(len(l.times)-1))].Round(time.Millisecond)
			}
			t.Logf("%d clients: %d files, %.0f MB in %v (%.0f requests/s, %.0f MB/s); median %v, 99 %% %v; heap %.1f MB before, %.1f after",
				loadClients, l.count.Load(), float64(l.bytes.Load())/1e6, took.Round(time.Millisecond),
				float64(l.count.Load())/took.Seconds(), float64(l.bytes.Load())/1e6/took.Seconds(),
				quantile(0.5), quantile(0.99), float64(before)/1e6, float64(after)/1e6)
		})
	}
}

// TestServerAgainstRawRequests sends what no HTTP library would.
func TestServerAgainstRawRequests(t *testing.T) {
	l := startLoaded(t, small(), false)
	for _, c := range []struct{ name, request, want string }{
		{"a path out of the site", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		{"a path out of the site, escaped", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		{"a path with backslashes", "GET /..\\..\\go.mod HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		{"a whole address", "GET http://other/index.html HTTP/1.1\r\nHost: a\r\n\r\n", "200"},
		{"a method that is none", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "405"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
		{"a line that never ends", "GET /" + strings.Repeat("a", 100<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", "431"},
		{"headers of 100 KB", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", "431"},
		{"noise", "\x16\x03\x01\x00\xff\x00\r\n\r\n", "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := raw(t, l.addr, c.request); !strings.HasPrefix(got, "HTTP/1.1 "+c.want) {
				t.Errorf("answer %q, want %s", got, c.want)
			}
		})
	}
}

// raw sends bytes and returns the answer's first line.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer before it has read all
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestServerDropsWhoSendsNoRequest: a client that dribbles its headers is let go.
func TestServerDropsWhoSendsNoRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(NewHandler(small()))
	server.ReadHeaderTimeout /= 50 // the limit itself, in a time that tests can wait for
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		for _, c := range "GET / HTTP/1.1\r\nHost: a very slow one indeed, and longer than the limit" {
			if _, err := conn.Write([]byte(string(c))); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	start := time.Now()
	if err := conn.SetReadDeadline(start.Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, conn)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the connection was held for %v: %v", took, err)
	}
}
