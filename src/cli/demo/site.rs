//! The names under which the demo is visited.

/// The domain of everything; browsers and curl resolve what ends in `.localhost` to this machine
/// without asking DNS. Source: RFC 6761 §6.3.
pub(super) const DOMAIN: &str = "quorate.localhost";

/// A host of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// A page with links, for anybody.
    Home,
    /// The login portal, which the nodes serve.
    Portal,
    /// Needs a login.
    One,
    /// Needs a login.
    Two,
    /// Guarded, by a rule that lets anybody in.
    Public,
    /// Needs a login of the group `admins`.
    Admin,
}

impl Site {
    /// Those that are guarded, in the order in which pages list them.
    pub(super) const GUARDED: [Self; 4] = [Self::One, Self::Two, Self::Public, Self::Admin];

    /// The site of `host`, which is in lower case and has no port.
    pub(super) fn of(host: &str) -> Option<Self> {
        let [home, portal] = [Self::Home, Self::Portal];
        Self::GUARDED
            .into_iter()
            .chain([home, portal])
            .find(|site| site.host() == host)
    }

    /// Its host name.
    pub(super) fn host(self) -> &'static str {
        match self {
            Self::Home => DOMAIN,
            Self::Portal => "auth.quorate.localhost",
            Self::One => "one.quorate.localhost",
            Self::Two => "two.quorate.localhost",
            Self::Public => "public.quorate.localhost",
            Self::Admin => "admin.quorate.localhost",
        }
    }

    /// Its address, without a final slash.
    pub(super) fn url(self, port: u16) -> String {
        format!("https://{}:{port}", self.host())
    }

    /// What its access rule says, for people.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Home => "links",
            Self::Portal => "log in, log out",
            Self::One | Self::Two => "needs a login",
            Self::Public => "open to anybody",
            Self::Admin => "for the group admins: alice may, john may not",
        }
    }
}
