//go:build unix

// Command ruler is a server of streamed text for benchmarks: every event leaves at an instant that is known beforehand,
// in one write of its own, and is stamped with the wall clock just before it. It speaks the chat and completions
// endpoints of vLLM in the same shapes as the reference server in server/, at a fraction of its cost, and reports what
// it did under /ruler/sessions in the same form. It commits no faults.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ruler:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("ruler", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on; port 0: any free one")
	firstMs := flags.Float64("first-ms", 50, "from the request to the first token")
	gapMs := flags.Float64("gap-ms", 10, "from one token to the next, on an absolute schedule")
	tokens := flags.Int("tokens", 100, "tokens with text before the end of the sequence; max_tokens cuts it")
	model := flags.String("model", "ruler", "name of the model served")
	useTLS := flags.Bool("tls", false, "HTTPS (HTTP/2 and HTTP/1.1) with a certificate made at the start")
	certOut := flags.String("tls-cert-out", "", "where to write that certificate (PEM), for clients to trust")
	logSessions := flags.Int("log-sessions", 20_000, "requests that GET /ruler/sessions keeps")
	procs := flags.Int("procs", runtime.NumCPU(), "cores to use at once")
	_ = flags.Parse(args)
	if *tokens < 1 || *firstMs < 0 || *gapMs < 0 || *logSessions < 1 || *procs < 1 {
		return fmt.Errorf("-tokens, -log-sessions and -procs are at least 1, -first-ms and -gap-ms at least 0")
	}
	runtime.GOMAXPROCS(*procs)

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	s := newServer(schedule{
		first:  time.Duration(*firstMs * float64(time.Millisecond)),
		gap:    time.Duration(*gapMs * float64(time.Millisecond)),
		tokens: *tokens,
	}, *model, *logSessions)
	scheme := "http"
	if *useTLS {
		scheme = "https"
		certificate, err := makeCertificate(listener.Addr().(*net.TCPAddr).IP)
		if err != nil {
			return err
		}
		if *certOut != "" {
			if err := os.WriteFile(*certOut, certificate.pem, 0o644); err != nil {
				return err
			}
		}
		s.tls = certificate.config()
	}
	fmt.Printf("%s://%s\n", scheme, listener.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		_ = listener.Close()
	}()
	return s.serve(listener)
}
