//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// certificate makes a self-signed certificate for 127.0.0.1.
func (f *field) certificate() (cert, key string) {
	f.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		f.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.file("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		f.file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

func TestTLSAndToken(t *testing.T) {
	f := newField(t, "agents: [{name: a, agent: \"{config} wrong\"}]\nscenarios: [ping]\n")
	cert, key := f.certificate()
	start, address := f.listen("--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(address, "tls://") {
		t.Errorf("the start tells workers to join %s, want tls://", address)
	}
	wrong := f.file("wrong", "another-token-of-a-test-0123")
	if out := f.begin("work", "--join", address, "--tls-ca", cert, "--token-file", wrong).ends(1); !strings.Contains(out, "the token was refused") {
		t.Errorf("with a wrong token: %s", out)
	}
	if out := f.begin("work", "--join", address, "--token-file", f.file("token", token)).ends(1); !strings.Contains(out, "certificate") {
		t.Errorf("with a certificate from an unknown CA: %s", out)
	}
	worker := f.work(address, "--tls-ca", cert)
	start.ends(0)
	worker.ends(0)
	f.allDone(1)
}

func TestListenRefuses(t *testing.T) {
	f := newField(t, "agents: [{name: a, agent: builtin}]\n")
	secret := f.file("token", token)
	open := f.file("open", token)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"needs --token-file", []string{"--listen", "127.0.0.1:0"}},
		{"beyond loopback, --tls-cert and --tls-key are needed", []string{"--listen", "0.0.0.0:0", "--token-file", secret}},
		{"beyond loopback, --tls-cert and --tls-key are needed", []string{"--listen", ":4222", "--token-file", secret}},
		{"other users can read it", []string{"--listen", "127.0.0.1:0", "--token-file", open}},
		{"at least 16 characters", []string{"--listen", "127.0.0.1:0", "--token-file", f.file("short", "short")}},
		{"need each other", []string{"--listen", "127.0.0.1:0", "--token-file", secret, "--tls-cert", "c.pem"}},
		{"cannot be used with --nats", []string{"--listen", "127.0.0.1:0", "--token-file", secret, "--nats", "nats://127.0.0.1:1"}},
		{"accepted are 1s to 10m0s", []string{"--lease", "1ms"}},
	} {
		if out := f.begin(append([]string{"start", f.plan}, c.args...)...).ends(2); !strings.Contains(out, c.want) {
			t.Errorf("start %v says %s, want %q", c.args, out, c.want)
		}
	}
}
