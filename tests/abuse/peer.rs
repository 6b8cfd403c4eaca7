//! The node-to-node port: whoever is no member is sent away before anything of theirs is read as a message.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::{Cluster, Node, Settings, until};

/// The value of a metric without labels.
fn value(page: &str, name: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}"))
        .parse()
        .expect("a number")
}

async fn refused(node: &Node) -> f64 {
    value(
        &node.metrics().await,
        "quorate_peer_connections_refused_total",
    )
}

/// Sends bytes and waits until the node closes the connection.
async fn throw(node: &Node, bytes: &[u8]) {
    let mut stream = TcpStream::connect(node.peer()).await.expect("a connection");
    // It may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let end = async {
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
    };
    tokio::time::timeout(Duration::from_secs(20), end)
        .await
        .expect("the node closes the connection");
}

/// Bytes without a pattern, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(step).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_counted_and_costs_nothing() {
    let cluster = Cluster::start(Settings::new()).await;
    let node = &cluster.nodes()[0];
    let (before, memory) = (
        refused(node).await,
        value(&node.metrics().await, "process_resident_memory_bytes"),
    );
    let frame_of_4_gib = [b"QRT\x01\x0b\x00".as_slice(), &[0xff; 4], &[0; 4]].concat();
    let tls_record_of_16_kib = [b"\x16\x03\x01\x40\x00".as_slice(), &noise(16_384)].concat();
    let cases: [(&str, Vec<u8>); 7] = [
        ("random bytes", noise(100_000)),
        ("one byte", vec![0]),
        ("zeros", vec![0; 100_000]),
        ("a frame of 4 GiB without TLS", frame_of_4_gib),
        ("a TLS record of noise", tls_record_of_16_kib),
        (
            "half a TLS record",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(),
        ),
        ("plain HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
    ];
    for (_, bytes) in &cases {
        throw(node, bytes).await;
    }
    until("each is counted", Duration::from_secs(10), || async {
        refused(node).await >= before + cases.len() as f64
    })
    .await;
    for _ in 0..20 {
        for (_, bytes) in cases.iter().filter(|(_, bytes)| bytes.len() > 10) {
            throw(node, bytes).await;
        }
    }
    let after = value(&node.metrics().await, "process_resident_memory_bytes");
    assert!(after - memory < 32e6, "{memory} bytes have become {after}");
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_or_none_opens_nothing() {
    let cluster = Cluster::start(Settings::new()).await;
    let node = &cluster.nodes()[0];
    let before = refused(node).await;
    let anyone = || {
        ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Trusting))
    };
    let pair = cluster.authority().sign("foreign", &["n2"]);
    let certificate = CertificateDer::pem_file_iter(&pair.certificate).expect("a file");
    let certificate = certificate
        .map(|block| block.expect("a certificate"))
        .collect();
    let key = PrivateKeyDer::from_pem_file(&pair.key).expect("a key");
    let configs = [
        anyone().with_no_client_auth(),
        anyone()
            .with_client_auth_cert(certificate, key)
            .expect("a client certificate"),
    ];
    for config in configs {
        let stream = TcpStream::connect(node.peer()).await.expect("a connection");
        let name = ServerName::try_from("n1").expect("a name");
        // With TLS 1.3 a client may learn only afterwards that it is refused.
        let Ok(mut tls) = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
        else {
            continue;
        };
        let _ = tls.write_all(&noise(4_096)).await;
        let mut got = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), tls.read_to_end(&mut got)).await;
        assert!(read.is_ok(), "the node closes the connection");
        assert!(got.is_empty(), "nothing is said to a stranger: {got:?}");
    }
    until("both are counted", Duration::from_secs(10), || async {
        refused(node).await >= before + 2.0
    })
    .await;
}

/// Takes any server for the one that is meant.
#[derive(Debug)]
struct Trusting;

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ED25519,
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}
