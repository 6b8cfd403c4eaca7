//! The five reverse proxies, with the very files of `deploy/` that users get, in front of three real nodes.
//!
//! Each proxy runs the same list of [`scenario`]s and then the same [`fault`]s. What differs between them (how a file
//! is adapted to the ports of a test, how the program is started) is in one small module each; what a browser sees
//! must not differ at all.

mod caddy;
mod envoy;
mod fault;
mod haproxy;
mod impostor;
mod nginx;
mod recipe;
mod scenario;
mod stage;
mod traefik;

use stage::Stage;

/// The tests of one proxy.
macro_rules! proxy {
    ($guards:ident, $verifies:ident, $start:path) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $guards() {
            Stage::set_up($start).await.play().await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $verifies() {
            impostor::is_not_believed($start).await;
        }
    };
}

proxy!(nginx_guards_a_site, nginx_verifies_the_nodes, nginx::start);
proxy!(
    traefik_guards_a_site,
    traefik_verifies_the_nodes,
    traefik::start
);
proxy!(
    haproxy_guards_a_site,
    haproxy_verifies_the_nodes,
    haproxy::start
);
proxy!(
    haproxy_by_spoe_guards_a_site,
    haproxy_by_spoe_verifies_the_nodes,
    haproxy::start_spoe
);
proxy!(caddy_guards_a_site, caddy_verifies_the_nodes, caddy::start);
proxy!(
    envoy_over_http_guards_a_site,
    envoy_over_http_verifies_the_nodes,
    envoy::start_http
);

/// The impostor of the other tests speaks no gRPC; the part of the recipe that verifies the nodes is the same.
#[tokio::test(flavor = "multi_thread")]
async fn envoy_over_grpc_guards_a_site() {
    Stage::set_up(envoy::start).await.play().await;
}
