//! Ports are taken before the rooms open and served after.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use identity::Identity;
use platform::Platform;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::config::{ListenError, ServerConfig};
use crate::listen;

/// Ports taken, not yet served.
pub struct Ports {
    plain: TcpListener,
    tls: Option<TcpListener>,
}

/// Where the node can be reached.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The console.
    pub console: String,
    /// The door for peers.
    pub tls: Option<String>,
}

impl Ports {
    /// Takes the ports of the configuration.
    ///
    /// # Errors
    /// Somebody else has one; the text says who, and which flag chooses another.
    pub async fn bind(config: &ServerConfig) -> anyhow::Result<Self> {
        let plain = listen::bind(config.listen, "--listen").await?;
        let tls = match config.tls_listen {
            Some(address) => Some(listen::bind(address, "--tls-listen").await?),
            None => None,
        };
        Ok(Self { plain, tls })
    }
}

/// Serves the ports and the admin socket in the background.
pub(super) async fn open(
    platform: &Platform,
    identity: &Identity,
    ports: Ports,
    config: &ServerConfig,
    app: Router,
) -> anyhow::Result<Addresses> {
    let drain = Duration::from_secs(config.drain_s);
    let tasks = &platform.tasks;
    let mut addresses = Addresses {
        console: match &config.public_url {
            Some(url) => url.clone(),
            None => format!("http://localhost:{}", ports.plain.local_addr()?.port()),
        },
        tls: None,
    };
    if let Some(listener) = ports.tls {
        let local = listener.local_addr()?;
        refuse_without_account(identity, local).await?;
        let acceptor = TlsAcceptor::from(identity.server_tls(local, &config.names).await?);
        addresses.tls = Some(format!("https://{local}"));
        let (app, own, door) = (app.clone(), tasks.clone(), identity.clone());
        let refused: listen::Refused = std::sync::Arc::new(move |from, reason| {
            door.note_refused_peer(from, reason);
        });
        tasks.spawn_draining("https", async move {
            listen::serve_tls(listener, acceptor, app, own, drain, refused).await;
        });
    }
    listen::serve_admin(&platform.data.admin_socket(), app.clone(), tasks, drain)?;
    let own = tasks.clone();
    tasks.spawn_draining("http", listen::serve_plain(ports.plain, app, own, drain));
    Ok(addresses)
}

/// Beyond this machine only when somebody has an account: an open first-run page is an open door.
async fn refuse_without_account(identity: &Identity, local: SocketAddr) -> anyhow::Result<()> {
    if !local.ip().is_loopback() && identity.first_run().await? {
        return Err(ListenError::NoAccount(local).into());
    }
    Ok(())
}
