// The client load: writes and reads OpenBao through its Service at a steady pace, and prints one JSON line an attempt.
//
// It is a program of its own, and talks HTTP by hand, so that a try costs next to nothing beside the server under test.
package main

import (
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// attempt is one line of output. Times are milliseconds since the epoch by this machine's clock.
type attempt struct {
	Op    string `json:"o"` // "W" write, "R" read
	Seq   int64  `json:"n"`
	Try   int    `json:"t"` // 1, or 2 for the one retry on a new connection
	Start int64  `json:"s"`
	End   int64  `json:"e"`
	OK    bool   `json:"ok"`
	Code  int    `json:"c"`             // HTTP status, 0 when no answer came
	Why   string `json:"why,omitempty"` // for failures: dns, refused, timeout, cut, status, lost, other-data
}

const retries = 1
const maxInFlight = 64

func main() {
	address := flag.String("address", "openbao.openbao.svc:8200", "host:port of OpenBao's Service")
	tokenFile := flag.String("token-file", "/token/token", "file that holds the client's token")
	prefix := flag.String("prefix", "secret/data/load", "KV v2 data path to write below")
	interval := flag.Duration("interval", 50*time.Millisecond, "time between two writes")
	timeout := flag.Duration("timeout", 500*time.Millisecond, "bound of one attempt")
	caFile := flag.String("ca-file", "", "file with the CA of the server's certificate; none: no TLS")
	readEvery := flag.Int64("read-every", 5, "read an acknowledged entry after each so many writes")
	flag.Parse()

	token, err := os.ReadFile(*tokenFile)
	if err != nil {
		fmt.Fprintf(os.Stderr, "no token in %s: %v\n", *tokenFile, err)
		os.Exit(1)
	}
	var roots *x509.CertPool
	if *caFile != "" {
		ca, err := os.ReadFile(*caFile)
		roots = x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(ca) {
			fmt.Fprintf(os.Stderr, "no CA certificate in %s: %v\n", *caFile, err)
			os.Exit(1)
		}
	}
	out := &printer{}
	load := &load{
		caller: &caller{address: *address, token: strings.TrimSpace(string(token)), timeout: *timeout, roots: roots},
		prefix: strings.Trim(*prefix, "/"),
		out:    out,
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	out.print(map[string]any{"o": "start", "s": time.Now().UnixMilli(), "prefix": load.prefix})
	load.run(*interval, *readEvery, stop)
	out.print(map[string]any{"o": "end", "s": time.Now().UnixMilli(), "acknowledged": load.acknowledged})
	// Whoever follows this log gets the last line before the container is gone.
	time.Sleep(time.Second)
}

type load struct {
	caller       *caller
	prefix       string
	out          *printer
	mutex        sync.Mutex
	acknowledged int64
	last         int64 // the newest acknowledged entry
}

// run starts a write at every tick, whatever the ones before do: a hung server must not hide the length of an outage.
func (l *load) run(interval time.Duration, readEvery int64, stop <-chan os.Signal) {
	var inFlight sync.WaitGroup
	slots := make(chan struct{}, maxInFlight)
	start := func(work func()) {
		select {
		case slots <- struct{}{}:
		default:
			return // Every slot waits for its own timeout: another one would say nothing new.
		}
		inFlight.Add(1)
		go func() {
			defer func() { <-slots; inFlight.Done() }()
			work()
		}()
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for seq := int64(1); ; seq++ {
		select {
		case <-stop:
			inFlight.Wait()
			return
		case <-ticker.C:
		}
		write := seq
		start(func() { l.write(write) })
		if seq%readEvery == 0 {
			if earlier := l.newest(); earlier > 0 {
				start(func() { l.read(earlier) })
			}
		}
	}
}

func (l *load) write(seq int64) {
	body := fmt.Sprintf(`{"data":{"seq":%d,"value":"canary-load-%016x"}}`, seq, seq*0x9E3779B97F4A7C1)
	for try := 1; try <= 1+retries; try++ {
		a := attempt{Op: "W", Seq: seq, Try: try, Start: time.Now().UnixMilli()}
		a.Code, _, a.Why = l.caller.call("POST", l.path(seq), body)
		a.OK = a.Code == 200
		a.End = time.Now().UnixMilli()
		l.out.print(a)
		if a.OK {
			l.mutex.Lock()
			l.acknowledged++
			l.last = max(l.last, seq)
			l.mutex.Unlock()
			return
		}
	}
}

func (l *load) read(seq int64) {
	a := attempt{Op: "R", Seq: seq, Try: 1, Start: time.Now().UnixMilli()}
	var answer string
	a.Code, answer, a.Why = l.caller.call("GET", l.path(seq), "")
	switch {
	case a.Code == 404:
		a.Why = "lost"
	case a.Code == 200 && !strings.Contains(answer, fmt.Sprintf(`"seq":%d,`, seq)):
		a.Why = "other-data"
	case a.Code == 200:
		a.OK = true
	}
	a.End = time.Now().UnixMilli()
	l.out.print(a)
}

func (l *load) path(seq int64) string { return fmt.Sprintf("/v1/%s/%d", l.prefix, seq) }

// newest is the newest acknowledged entry, the one that a careless move would lose first.
func (l *load) newest() int64 {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.last
}

type printer struct{ mutex sync.Mutex }

func (p *printer) print(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	os.Stdout.Write(append(text, '\n'))
}
