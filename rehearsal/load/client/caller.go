package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const addressLifetime = 5 * time.Second
const maxAnswer = 64 * 1024

// caller makes HTTP calls, each on a connection of its own: what a kept connection would hide is part of the outage.
type caller struct {
	address string
	token   string
	timeout time.Duration
	// roots is the CA of the server's certificate; nil for a listener without TLS.
	roots *x509.CertPool

	mutex    sync.Mutex
	resolved string
	at       time.Time
}

// call gives the HTTP status (0: no answer), the body, and a word for what went wrong.
func (c *caller) call(method, path, body string) (int, string, string) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	address, err := c.resolve(ctx)
	if err != nil {
		return 0, "", "dns"
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, "", reason(err)
	}
	defer connection.Close()
	if deadline, ok := ctx.Deadline(); ok {
		connection.SetDeadline(deadline)
	}
	if c.roots != nil {
		host, _, _ := net.SplitHostPort(c.address)
		// A plain connection is never tried: the handshake comes with the first write.
		connection = tls.Client(connection, &tls.Config{RootCAs: c.roots, ServerName: host, MinVersion: tls.VersionTLS12})
	}
	// HTTP/1.0: the answer ends with the connection and is never chunked.
	request := fmt.Sprintf("%s %s HTTP/1.0\r\nHost: %s\r\nX-Vault-Token: %s\r\nX-Vault-Request: true\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, c.address, c.token, len(body), body)
	if _, err := io.WriteString(connection, request); err != nil {
		return 0, "", reason(err)
	}
	answer, err := io.ReadAll(io.LimitReader(connection, maxAnswer))
	head, rest, complete := strings.Cut(string(answer), "\r\n\r\n")
	fields := strings.SplitN(head, " ", 3)
	if err != nil || !complete || len(fields) < 2 {
		if err == nil {
			return 0, "", "cut"
		}
		return 0, "", reason(err)
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, "", "cut"
	}
	if status != 200 {
		return status, rest, "status"
	}
	return status, rest, ""
}

// resolve looks the Service's name up every few seconds; its address does not change while it exists.
func (c *caller) resolve(ctx context.Context) (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.resolved != "" && time.Since(c.at) < addressLifetime {
		return c.resolved, nil
	}
	host, port, err := net.SplitHostPort(c.address)
	if err != nil {
		return "", err
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	c.at = time.Now()
	if err != nil || len(found) == 0 {
		if c.resolved != "" {
			return c.resolved, nil
		}
		return "", err
	}
	c.resolved = net.JoinHostPort(found[0], port)
	return c.resolved, nil
}

func reason(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	default:
		return "cut"
	}
}
