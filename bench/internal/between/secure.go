package between

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	cryptotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

// One certificate that vouches for itself serves both sides of TLS. Its files have
// the endings of pemFiles after a path.
const (
	certFile = ".crt"
	keyFile  = ".key"
)

// makeSecret writes a certificate and its key beside path.
func makeSecret(path string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	must(os.WriteFile(path+certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	must(os.WriteFile(path+keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// secureConfig has both sides show the certificate beside path, under TLS 1.3.
func secureConfig(path string) *cryptotls.Config {
	pair, err := cryptotls.LoadX509KeyPair(path+certFile, path+keyFile)
	must(err)
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	return &cryptotls.Config{
		Certificates: []cryptotls.Certificate{pair}, MinVersion: cryptotls.VersionTLS13, NextProtos: []string{"handoff"},
		ClientAuth: cryptotls.RequireAndVerifyClientCert, ClientCAs: pool, RootCAs: pool, ServerName: "127.0.0.1",
	}
}

func secureListener(l net.Listener, path string) net.Listener {
	return cryptotls.NewListener(l, secureConfig(path))
}

func secureClient(conn net.Conn, path string) net.Conn {
	return cryptotls.Client(conn, secureConfig(path))
}

// secureQuery is how a tls: URL names the certificate.
func secureQuery(path string) string {
	return "?ca=" + path + certFile + "&cert=" + path + certFile + "&key=" + path + keyFile
}
