//! The doors: loopback HTTP, TLS for everything else, and a socket for the owner of the data folder.
//! Each drains on stop, with a deadline.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Extensions;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use platform::http::Caller;
use platform::tasks::Tasks;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::config::ListenError;

/// Connections served at the same time by one door; more wait in the system's queue.
pub const MAX_CONNECTIONS: usize = 1_024;
/// A TLS handshake that takes longer is dropped.
pub const HANDSHAKE_TIMEOUT_S: u64 = 10;
/// A request head that takes longer to arrive is dropped.
pub const HEAD_TIMEOUT_S: u64 = 20;

/// Called with the peer's address and the reason when a TLS handshake fails.
pub type Refused = Arc<dyn Fn(SocketAddr, String) + Send + Sync>;

/// Takes a TCP port.
///
/// # Errors
/// Says who holds it, as far as can be seen, and which flag chooses another.
pub async fn bind(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| ListenError::Taken {
        address,
        holder: holder(address).map(|who| format!(", held by {who}")).unwrap_or_default(),
        cause,
        flag,
    })
}

/// The process that listens on the port, read from /proc: best effort, only one's own processes.
fn holder(address: SocketAddr) -> Option<String> {
    let wanted = format!(":{:04X}", address.port());
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        std::fs::read_to_string(table).ok()?.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listening = fields.get(3) == Some(&"0A");
            (listening && fields.get(1)?.ends_with(&wanted)).then(|| fields[9].to_owned())
        })
    })?;
    let link = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let files = std::fs::read_dir(process.path().join("fd")).ok()?;
        let holds = files.flatten().any(|file| {
            std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str())
        });
        let name = std::fs::read_to_string(process.path().join("comm")).ok()?;
        holds.then(|| format!("{} (process {})", name.trim(), process.file_name().display()))
    })
}

/// Serves plain HTTP until the node stops.
pub async fn serve_plain(listener: TcpListener, app: Router, tasks: Tasks, drain: Duration) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        tokio::select! {
            () = tasks.stopped() => break,
            accepted = listener.accept() => if let Some((stream, from)) = taken(accepted).await {
                let known = move |extensions: &mut Extensions| {
                    extensions.insert(ConnectInfo(from));
                };
                let connection = connection(stream, app.clone(), known, &graceful);
                tasks.spawn_draining("http connection", async move {
                    connection.await;
                    drop(place);
                });
            }
        }
    }
    let _ = tokio::time::timeout(drain, graceful.shutdown()).await;
}

/// Serves HTTPS until the node stops. The peer's certificate, when one was shown and verified,
/// reaches the authenticating layer as [`identity::PeerCertificate`].
pub async fn serve_tls(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    app: Router,
    tasks: Tasks,
    drain: Duration,
    refused: Refused,
) {
    let graceful = Arc::new(GracefulShutdown::new());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        tokio::select! {
            () = tasks.stopped() => break,
            accepted = listener.accept() => if let Some((stream, from)) = taken(accepted).await {
                let (acceptor, app) = (acceptor.clone(), app.clone());
                let (refused, graceful) = (Arc::clone(&refused), Arc::clone(&graceful));
                tasks.spawn_draining("https connection", async move {
                    let limit = Duration::from_secs(HANDSHAKE_TIMEOUT_S);
                    match tokio::time::timeout(limit, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            let shown = stream.get_ref().1.peer_certificates();
                            let certificate = shown
                                .and_then(<[_]>::first)
                                .map(|shown| identity::PeerCertificate(shown.to_vec()));
                            let known = move |extensions: &mut Extensions| {
                                extensions.insert(ConnectInfo(from));
                                extensions.insert(identity::Encrypted);
                                if let Some(certificate) = &certificate {
                                    extensions.insert(certificate.clone());
                                }
                            };
                            connection(stream, app, known, &graceful).await;
                        }
                        Ok(Err(cause)) => refused(from, cause.to_string()),
                        Err(_) => refused(from, "the handshake took too long".into()),
                    }
                    drop(place);
                });
            }
        }
    }
    if let Some(graceful) = Arc::into_inner(graceful) {
        let _ = tokio::time::timeout(drain, graceful.shutdown()).await;
    }
}

/// Serves the owner of the data folder over a socket that only they can open.
///
/// # Errors
/// The socket cannot be made.
pub fn serve_admin(
    path: &Path,
    app: Router,
    tasks: &Tasks,
    drain: Duration,
) -> std::io::Result<()> {
    // The folder's lock is ours, so a socket left behind belongs to a dead process.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let known = |extensions: &mut Extensions| {
        extensions.insert(Caller::local_admin());
    };
    let own = tasks.clone();
    tasks.spawn_draining("admin socket", async move {
        let graceful = GracefulShutdown::new();
        loop {
            tokio::select! {
                () = own.stopped() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => own.spawn_draining(
                        "admin connection",
                        connection(stream, app.clone(), known, &graceful),
                    ),
                    Err(cause) => pause_after(&cause).await,
                }
            }
        }
        let _ = tokio::time::timeout(drain, graceful.shutdown()).await;
    });
    Ok(())
}

type Accepted = (tokio::net::TcpStream, SocketAddr);

async fn taken(accepted: std::io::Result<Accepted>) -> Option<Accepted> {
    match accepted {
        Ok(accepted) => {
            // The end of an answer must not wait for the acknowledgement of its beginning: 40 ms on many systems.
            // A socket that refuses this is served all the same.
            let _ = accepted.0.set_nodelay(true);
            Some(accepted)
        }
        Err(cause) => {
            pause_after(&cause).await;
            None
        }
    }
}

/// Out of file descriptors, for example: say so and do not spin.
async fn pause_after(cause: &std::io::Error) {
    tracing::warn!(%cause, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// One connection; `known` tells every request what the door knows about its other end.
fn connection<S, K>(
    stream: S,
    app: Router,
    known: K,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<S, K>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    K: Fn(&mut Extensions) + Send + Sync + 'static,
{
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        known(request.extensions_mut());
        app.clone().oneshot(request.map(axum::body::Body::new))
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_TIMEOUT_S));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let watched = graceful.watch(connection);
    async move {
        if let Err(cause) = watched.await {
            tracing::debug!(%cause, "connection ended");
        }
    }
}
