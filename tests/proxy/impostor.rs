//! A server that answers yes to everything, and a proxy that must not believe it unless its certificate says that it
//! is a node.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::recipe::{Doors, Wiring, new_folder};
use super::scenario::passed;
use crate::harness::{
    Authority, Client, NODES_NAME, Pair, Process, Request, Seen, Site, until_some,
};

/// Runs a proxy in front of the yes-man three times: as a node, under another name, and with a certificate of somebody
/// else. Only the first may let anything pass.
pub(super) async fn is_not_believed(start: fn(&Wiring) -> Process) {
    let folder = tempfile::tempdir().expect("a folder");
    let foreign = tempfile::tempdir().expect("a folder");
    let ours = Authority::new(folder.path());
    let node = ours.sign("node", &[NODES_NAME]);
    let elsewhere = ours.sign("elsewhere", &["elsewhere.internal", "127.0.0.1"]);
    let stranger = Authority::new(foreign.path()).sign("stranger", &[NODES_NAME]);

    assert!(
        passes(start, &ours, &node).await,
        "the yes-man as a node is believed"
    );
    assert!(
        !passes(start, &ours, &elsewhere).await,
        "a certificate for another name was believed"
    );
    assert!(
        !passes(start, &ours, &stranger).await,
        "a certificate of a stranger was believed"
    );
}

/// Whether a page passes when the nodes answer with the certificate `shown`. Panics if the answer is neither the page
/// nor 5xx.
async fn passes(start: fn(&Wiring) -> Process, ours: &Authority, shown: &Pair) -> bool {
    let folder = tempfile::Builder::new()
        .prefix("quorate-test-")
        .tempdir()
        .expect("a folder");
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable).expect("permissions");
    let site = Site::start().await;
    let yes_man = say_yes(shown).await;
    let doors = Doors::free();
    let _proxy = start(&Wiring {
        folder: new_folder(folder.path()),
        doors,
        nodes: [yes_man; 3],
        checks: [yes_man; 3],
        agents: [yes_man; 3],
        app: site.address(),
        nodes_ca: ours.certificate(),
        site: ours.sign("site", &["*.example.com"]),
    });
    let client = Client::new(doors.https, ours);
    let page = Request::get(&format!("https://one.example.com:{}/", doors.https.port())).for_page();
    // Before it has read its files, a proxy may refuse TLS or know no site.
    let answer = until_some(
        "the proxy knows the site",
        Duration::from_secs(20),
        || async {
            client
                .try_send(&page)
                .await
                .ok()
                .filter(|answer| answer.status != 404)
        },
    )
    .await;
    if answer.status == 200 {
        assert_eq!(
            passed(&answer).one("remote-user"),
            "root",
            "the yes-man names root"
        );
        return true;
    }
    assert!((500..600).contains(&answer.status), "{answer:?}");
    assert!(Seen::in_answer(&answer).is_none(), "{answer:?}");
    false
}

/// Starts the yes-man.
async fn say_yes(shown: &Pair) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(tls(&shown.certificate, &shown.key)));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("listen");
    let address = listener.local_addr().expect("own address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(acceptor.clone(), stream));
        }
    });
    address
}

fn tls(certificate: &Path, key: &Path) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions of ring")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("our own certificate")
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(|_| async {
        let response = http::Response::builder().header("Remote-User", "root");
        Ok::<_, Infallible>(response.body(Empty::<Bytes>::new()).expect("an answer"))
    });
    let _cut = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
