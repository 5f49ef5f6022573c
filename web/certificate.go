package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// certificateLife is how long a certificate is good for; Apple's systems refuse more than 825 days.
const certificateLife = 365 * 24 * time.Hour

// Certificate gives a self-signed certificate for localhost and the addresses. It is
// kept in the file (with its key, readable by the user alone), so that a phone that trusts it once
// need not be asked again; a new one is made when the file has none that covers all addresses
// for another day. An empty file name keeps nothing.
func Certificate(file string, addresses []net.IP) (tls.Certificate, error) {
	if kept, err := tls.LoadX509KeyPair(file, file); err == nil && covers(kept.Leaf, addresses) {
		return kept, nil
	}
	text, err := selfSigned(addresses)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	if file != "" {
		err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, text, 0o600))
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
		}
	}
	return tls.X509KeyPair(text, text)
}

func covers(leaf *x509.Certificate, addresses []net.IP) bool {
	if leaf == nil || time.Until(leaf.NotAfter) < 24*time.Hour {
		return false
	}
	return !slices.ContainsFunc(addresses, func(ip net.IP) bool { return leaf.VerifyHostname(ip.String()) != nil })
}

// selfSigned makes key and certificate as PEM.
func selfSigned(addresses []net.IP) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Spotter on this network"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           append([]net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, addresses...),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}

// LocalAddresses lists the IPv4 addresses under which others on the network reach this machine.
func LocalAddresses() ([]net.IP, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var list []net.IP
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			list = append(list, n.IP.To4())
		}
	}
	return list, nil
}
