//! The portal in French. A narrow no-break space (U+202F) stands before `?` and `;`.

use super::{Around, Errors, Notices, Saying, Words};

pub(super) static WORDS: Words = Words {
    sign_in: "Se connecter",
    signing_in_to: Around {
        before: "Vous vous connectez pour continuer vers ",
        after: ".",
    },
    user_name: "Nom d’utilisateur",
    password: "Mot de passe",
    remember: "Rester connecté sur cet appareil",
    failed: "Connexion refusée",
    notice: Notices {
        wrong_credentials: "Cela n’a pas fonctionné. Vérifiez le nom d’utilisateur et le mot de passe, puis réessayez.",
        wrong_code: "Cela n’a pas fonctionné. Attendez le code suivant, puis réessayez.",
        unavailable: "La connexion est impossible pour le moment. Réessayez dans un instant.",
        signed_out: "Vous êtes déconnecté.",
        session_expired: "Votre session est terminée. Veuillez vous reconnecter.",
        form_expired: "Cette page est restée ouverte trop longtemps. Veuillez vous connecter à nouveau.",
        second_factor_not_set_up: "Ce site demande un second facteur, qui n’est pas configuré pour vous.",
    },
    second_factor: Saying {
        title: "Encore une étape",
        text: "Saisissez le code affiché par votre application d’authentification pour ce compte.",
    },
    code: "Code",
    confirm: "Confirmer",
    not_you: Around {
        before: "Vous n’êtes pas ",
        after: " ? Se déconnecter",
    },
    use_second_factor: "Saisir un code pour les sites qui en demandent un",
    signed_in: "Vous êtes connecté",
    signed_in_on: Around {
        before: "sur ",
        after: "",
    },
    continue_to: Around {
        before: "Continuer vers ",
        after: "",
    },
    sign_out: "Se déconnecter",
    leaving: Saying {
        title: "Se déconnecter\u{202f}?",
        text: "Votre session prendra fin ici et sur chaque site ouvert grâce à elle.",
    },
    stay: "Rester connecté",
    signed_out: Saying {
        title: "Vous êtes déconnecté",
        text: "Votre session est terminée sur chaque site ouvert grâce à elle.",
    },
    sign_in_again: "Se reconnecter",
    back: "Aller à la page de connexion",
    error_code: "Erreur",
    request: "Requête",
    error: Errors {
        bad_request: Saying {
            title: "Cette requête est incompréhensible",
            text: "L’adresse ou le formulaire était incomplet\u{202f}; reprenez depuis le début.",
        },
        forbidden: Saying {
            title: "Cet endroit ne vous est pas ouvert",
            text: "Demandez au responsable du site si vous devriez y avoir accès.",
        },
        not_found: Saying {
            title: "Il n’y a rien ici",
            text: "L’adresse est peut-être mal écrite, ou la page a été déplacée.",
        },
        method_not_allowed: Saying {
            title: "Cela ne se fait pas ici",
            text: "Cette adresse n’accepte pas ce genre de requête.",
        },
        too_large: Saying {
            title: "C’était trop à la fois",
            text: "La requête dépasse ce que cette page accepte.",
        },
        too_many_requests: Saying {
            title: "Un peu plus lentement",
            text: "Il y a eu trop de requêtes en peu de temps\u{202f}; attendez un instant, puis réessayez.",
        },
        internal: Saying {
            title: "Une erreur s’est produite chez nous",
            text: "Vous n’y êtes pour rien\u{202f}; réessayez dans un instant.",
        },
        unavailable: Saying {
            title: "Indisponible pour le moment",
            text: "Le service ne peut pas répondre de façon sûre en ce moment\u{202f}; réessayez sous peu.",
        },
    },
};
