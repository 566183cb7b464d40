package contextd

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"google.golang.org/grpc"
)

// DefaultAddress is where a server listens that was told nothing else.
const DefaultAddress = "127.0.0.1:7420"

// DefaultTimeout is that of each call, its repetitions included.
const DefaultTimeout = 10 * time.Second

const defaultNamespace = "default"

// Call is what OnCall is told of each call when it is over.
type Call struct {
	Method   string        // Such as /contextd.v1.ContextManager/GetContext.
	Duration time.Duration // With all attempts and the delays between them.
	Attempts int           // How often it was sent.
	Err      error         // nil: it succeeded.
}

// settings are what all calls of a client have in common.
type settings struct {
	address    string
	namespace  string
	timeout    time.Duration
	retry      RetryPolicy
	coalescing bool
	tls        *tls.Config
	token      func(context.Context) (string, error)
	onCall     func(Call)
	log        *slog.Logger
	dial       []grpc.DialOption
}

// Option sets something of a client.
type Option func(*settings) error

// WithNamespace names the namespace of every call that names no other. Default: "default".
func WithNamespace(namespace string) Option {
	return func(s *settings) error {
		s.namespace = namespace
		return nil
	}
}

// WithTimeout bounds each call, its repetitions included. A deadline of the call's context counts
// too, whichever is sooner. Default: DefaultTimeout.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) error {
		if timeout <= 0 {
			return invalidValue("the timeout must be positive, not %v", timeout)
		}
		s.timeout = timeout
		return nil
	}
}

// WithRetry sets how calls are repeated.
func WithRetry(policy RetryPolicy) Option {
	return func(s *settings) error {
		s.retry = policy.withDefaults()
		return s.retry.check()
	}
}

// WithCoalescing says whether concurrent operations go out together. Default: they do.
func WithCoalescing(on bool) Option {
	return func(s *settings) error {
		s.coalescing = on
		return nil
	}
}

// WithTLS encrypts. The configuration says which authorities are trusted, which name is expected,
// and which certificate the client shows. The zero configuration, and nil, trust the system's
// authorities.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error {
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		s.tls = config.Clone()
		return nil
	}
}

// WithTLSFiles is WithTLS with PEM files: the certificates of the authorities (empty: the
// system's), and the client's own certificate and key (both empty: none).
func WithTLSFiles(authorities, certificate, key string) Option {
	return func(s *settings) error {
		config, err := loadTLS(authorities, certificate, key)
		s.tls = config
		return err
	}
}

// WithToken has each attempt carry a bearer token, which source gives. Without TLS it goes to this
// machine only: New fails with ErrInvalidValue where the address is of another one.
func WithToken(source func(context.Context) (string, error)) Option {
	return func(s *settings) error {
		s.token = source
		return nil
	}
}

// WithInterceptors adds interceptors of gRPC: unary ones see each attempt of a call. Requests that
// waited to go out together are encoded already: their fields are in the unknown ones of the message.
func WithInterceptors(
	unary []grpc.UnaryClientInterceptor, stream []grpc.StreamClientInterceptor,
) Option {
	return func(s *settings) error {
		s.dial = append(s.dial,
			grpc.WithChainUnaryInterceptor(unary...), grpc.WithChainStreamInterceptor(stream...))
		return nil
	}
}

// WithDialOptions adds options of gRPC's channel, such as grpc.WithStatsHandler. They come after
// the client's own, and win.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) error {
		s.dial = append(s.dial, options...)
		return nil
	}
}

// WithOnCall has each call told when it is over. The function runs where the call ends: it should be
// quick.
func WithOnCall(told func(Call)) Option {
	return func(s *settings) error {
		s.onCall = told
		return nil
	}
}

// WithLogger has the client say when a call is repeated, and when a subscription or a session is in
// trouble. Default: silence.
func WithLogger(log *slog.Logger) Option {
	return func(s *settings) error {
		if log == nil {
			return invalidValue("the logger must not be nil")
		}
		s.log = log
		return nil
	}
}

func newSettings(address string, options []Option) (settings, error) {
	made := settings{
		address:    address,
		namespace:  defaultNamespace,
		timeout:    DefaultTimeout,
		retry:      RetryPolicy{}.withDefaults(),
		coalescing: true,
		log:        slog.New(silence{}),
	}
	if made.address == "" {
		made.address = DefaultAddress
	}
	for _, option := range options {
		if err := option(&made); err != nil {
			return made, err
		}
	}
	if err := checkPort(made.address); err != nil {
		return made, err
	}
	if rule := namespaceRule(made.namespace); rule != "" {
		return made, invalidField("namespace", rule)
	}
	if made.token != nil && made.tls == nil && !isLocal(made.address) {
		return made, invalidValue("the token would go to %s in plain text: use WithTLS", made.address)
	}
	return made, nil
}

// silence is a handler of slog that says nothing. (slog.DiscardHandler is newer than Go 1.23.)
type silence struct{}

func (silence) Enabled(context.Context, slog.Level) bool  { return false }
func (silence) Handle(context.Context, slog.Record) error { return nil }
func (silence) WithAttrs([]slog.Attr) slog.Handler        { return silence{} }
func (silence) WithGroup(string) slog.Handler             { return silence{} }
