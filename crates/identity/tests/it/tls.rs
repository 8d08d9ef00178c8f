//! A node's TLS door, as the server opens it.
#![allow(clippy::disallowed_methods)] // the door lives and dies with its test

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use identity::{Encrypted, PeerCertificate};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::Node;

/// An open door.
pub(crate) struct Door {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// Why handshakes failed.
    pub(crate) refused: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the door of a node on a free port.
pub(crate) async fn door(node: &Node) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = node.identity.server_tls(address, &[]).await.unwrap();
    let refused = Arc::new(Mutex::new(vec![]));
    let (app, noted, identity) = (node.app.clone(), Arc::clone(&refused), node.identity.clone());
    let task = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(config);
        while let Ok((stream, from)) = listener.accept().await {
            let (acceptor, app) = (acceptor.clone(), app.clone());
            let (noted, identity) = (Arc::clone(&noted), identity.clone());
            tokio::spawn(async move {
                let stream = match acceptor.accept(stream).await {
                    Ok(stream) => stream,
                    Err(cause) => {
                        identity.note_refused_peer(from, cause.to_string());
                        noted.lock().unwrap().push(cause.to_string());
                        return;
                    }
                };
                let shown = stream.get_ref().1.peer_certificates();
                let certificate =
                    shown.and_then(<[_]>::first).map(|shown| PeerCertificate(shown.to_vec()));
                let service =
                    hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
                        let mut request = request.map(axum::body::Body::new);
                        request.extensions_mut().insert(ConnectInfo(from));
                        request.extensions_mut().insert(Encrypted);
                        if let Some(certificate) = &certificate {
                            request.extensions_mut().insert(certificate.clone());
                        }
                        app.clone().oneshot(request)
                    });
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Door { address, refused, task }
}
