//! Digests made by others, and what is refused.
//!
//! The vectors were made with argon2-cffi (the reference implementation in C), libxcrypt's crypt(3), Python's hashlib
//! (OpenSSL), passlib and `openssl passwd`.

use proptest::prelude::*;

use super::{Argon2Variant, BcryptVariant, Digest, PbkdfHash, Recipe, Scheme, ShaVariant};

const PASSWORD: &str = "correct hörse";

const VECTORS: [&str; 24] = [
    // argon2-cffi
    "$argon2id$v=19$m=64,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$gmIzVH/I0fTWsIqPR/p/YMw650IG4T5h",
    "$argon2i$v=19$m=64,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$AaVDFHo6a84V+MzkPVvEaz0KoiQMrHUb",
    "$argon2d$v=19$m=64,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$qQUle5eWvRGdww1Ogxx+8wlmD1CrgWHA",
    // crypt(3)
    "$2b$04$abcdefghijklmnopqrstuu6hXClE3y3ppxadbz1kXCSyMGvbkYXqq",
    "$2y$05$abcdefghijklmnopqrstuu2l6KOA9D/61qJO06UBoSQCzHyepuxn2",
    "$2a$04$abcdefghijklmnopqrstuu6hXClE3y3ppxadbz1kXCSyMGvbkYXqq",
    // passlib
    "$2b$04$0123456789abcdefghijku.Hd6xfk8Q8zdjl1SQ0HE.s0AeDnhCgq",
    "$bcrypt-sha256$v=2,t=2b,r=4$abcdefghijklmnopqrstuu$.IxlNwf2hV3XozjEhavJOBlF8b7a6j2",
    // crypt(3)
    "$5$rounds=1000$saltsaltsaltsalt$yRrLasEspYZSsXyCPrjVWAUaWBtC2SpKbcXkOoEhQ9.",
    "$5$ab$iqXCUAykB1N1evA5JmHmMxdQu0CRmJTfq5gJVOYbay1",
    "$6$rounds=1234$saltstring$b6xFmmQs5s7ORbv11Uv3OtJVm8TFqShNK72r6h6RAMGv9d3b4kYQQmHilHUv6J9nX4B6BWb.M.8ySDYCjqwA01",
    // openssl passwd
    "$5$abcd$JkoexqTS9.QEwYVItu58gKZkqzHO0Uw8ChyOdPSNfPD",
    "$6$opensslsalt$cR7aAqKWhXMBDzjWArUf1hVxtXdVT4F5n9S1BexCs6oPickqjSxl/9B0Vt3dWS.De.bf8Ix6vEM/JeOsWNwJn/",
    // hashlib
    "$pbkdf2$1020$AAECAwQFBgcICQoLDA0ODw$GeE.HB/IBiyfvW712x2eQyhlg3o",
    "$pbkdf2-sha1$1200$.//7//v/.//7//v/.//7/w$AegHYm5cdcaHFhiNVZ3O5ENdA4s",
    "$pbkdf2-sha224$1028$AAECAwQFBgcICQoLDA0ODw$rf6e/VQ/ta.KbuLoX1qf9gKl7GWl8quV.XHoUA",
    "$pbkdf2-sha256$1032$AAECAwQFBgcICQoLDA0ODw$rLHG0WndEjPUamJkoUcnEmiLiTeLd16rBmGPpy5Dc1g",
    "$pbkdf2-sha384$1048$AAECAwQFBgcICQoLDA0ODw$SIx4oVFspLyR8OaHtqxGuEbL6j5SvdJ36Yu8acuDEXSXI8S.ebJTbhMjkp7Wd6vZ",
    "$pbkdf2-sha512$1064$AAECAwQFBgcICQoLDA0ODw$peWj6dI5fEYqUuFTHOEpEYSwNicP239ChR27a7M/mSER.MarOcXG5DWYP5ZxJynR55uQPTGmIy2YHZdETeCNSQ",
    // passlib
    "$pbkdf2-sha512$1300$AAECAwQFBgcICQoLDA0ODw$/2FP3Fn1TjWMEPW7yE9X.rPMGEPpcby8gfuhrzViW6sBl2lZly7aE0GdUttNupIZs7vz8OMnwo1zGn30UJQHrQ",
    // hashlib
    "$scrypt$ln=4,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$dTB3s1YmG3YRKXARRNJeoxGAtpwGzEf65OiOvlyh7Jg",
    // passlib
    "$scrypt$ln=5,r=4,p=1$AAECAwQFBgcICQoLDA0ODw$qZur9+Qwf7I2yCB3BObY/zdJ5PCT9FmEaZPkEIvAask",
    // crypt(3)
    "$y$j9T$abcdefghijklmn./01234.$LayCp.2hqXF9.rsXUXk17u5Raw9LtK.0n9xlUOYcIw2",
    "$y$j75$KSzRi1NxyK7u9t1$nLPuB5lKLjFsWIhTbvkdRk6J5PEwZq/gDbo6hRwXMG5",
];

#[test]
fn digests_made_elsewhere_match_their_password_and_no_other() {
    for text in VECTORS {
        let digest = Digest::parse(text).unwrap_or_else(|found| panic!("{text}: {found}"));
        assert!(digest.matches(PASSWORD.as_bytes()), "{text}");
        for wrong in ["correct horse", "correct hörse ", ""] {
            assert!(!digest.matches(wrong.as_bytes()), "{text}: {wrong}");
        }
        let prefixed = Digest::parse(&format!("{{CRYPT}}{text}")).expect("the prefix is taken");
        assert!(prefixed == digest, "{text}");
    }
}

#[test]
fn a_digest_is_written_as_it_was_read() {
    for text in VECTORS {
        let written = Digest::parse(text).expect(text).to_string();
        // Two names for the same.
        let text = text.replace("$pbkdf2-sha1$", "$pbkdf2$");
        assert_eq!(written, text);
    }
}

fn cheap() -> Vec<Recipe> {
    let argon2 = |variant| Scheme::Argon2 {
        variant,
        memory_kib: 64,
        iterations: 1,
        parallelism: 2,
    };
    let mut schemes: Vec<Scheme> = [Argon2Variant::Id, Argon2Variant::I, Argon2Variant::D]
        .map(argon2)
        .to_vec();
    for variant in [BcryptVariant::B, BcryptVariant::Sha256] {
        schemes.push(Scheme::Bcrypt { variant, cost: 4 });
    }
    let hashes = [
        PbkdfHash::Sha1,
        PbkdfHash::Sha224,
        PbkdfHash::Sha256,
        PbkdfHash::Sha384,
        PbkdfHash::Sha512,
    ];
    for hash in hashes {
        schemes.push(Scheme::Pbkdf2 {
            hash,
            iterations: 10,
        });
    }
    schemes.push(Scheme::Scrypt {
        log_n: 4,
        block_size: 8,
        parallelism: 1,
    });
    schemes.push(Scheme::Yescrypt {
        log_n: 10,
        block_size: 8,
    });
    for variant in [ShaVariant::Sha256, ShaVariant::Sha512] {
        schemes.push(Scheme::Sha2crypt {
            variant,
            rounds: 1_000,
        });
    }
    let recipe = |scheme| Recipe {
        scheme,
        salt_bytes: 16,
        key_bytes: 24,
    };
    schemes.into_iter().map(recipe).collect()
}

#[test]
fn what_is_made_is_read_again_and_matches() {
    for recipe in cheap() {
        let made = recipe.make(b"secret", &[0xa5; 16]).expect("made");
        let read = Digest::parse(&made.to_string()).expect("read again");
        assert!(read == made, "{made:?}");
        assert!(
            read.matches(b"secret") && !read.matches(b"Secret"),
            "{made}"
        );
        let other = recipe.make(b"secret", &[0x5a; 16]).expect("made");
        assert_ne!(made.to_string(), other.to_string());
        assert!(!format!("{made:?}").contains(&made.to_string()));
    }
}

#[test]
fn bcrypt_refuses_to_make_a_digest_that_ignores_a_part_of_the_password() {
    let long = [b'a'; 73];
    let recipe = |variant| Recipe {
        scheme: Scheme::Bcrypt { variant, cost: 4 },
        ..Recipe::DEFAULT
    };
    assert!(recipe(BcryptVariant::B).make(&long, &[1; 16]).is_err());
    assert!(recipe(BcryptVariant::B).make(&long[..72], &[1; 16]).is_ok());
    let whole = recipe(BcryptVariant::Sha256)
        .make(&long, &[1; 16])
        .expect("made");
    assert!(whole.matches(&long) && !whole.matches(&long[..72]));
}

#[test]
fn costs_that_would_stop_a_machine_are_refused_when_read() {
    let cases = [
        (
            "$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHQ$MTIzNDU2Nzg5MDEy",
            "a hash by Argon2 that asks for more than 2 GiB of memory",
        ),
        (
            "$argon2id$v=19$m=2097152,t=9,p=4$c29tZXNhbHQ$MTIzNDU2Nzg5MDEy",
            "a hash by Argon2 that asks for more than 16 GiB of memory times passes",
        ),
        (
            "$argon2id$v=19$m=7,t=3,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEy",
            "a hash by Argon2 that has impossible parameters",
        ),
        (
            "$2b$18$abcdefghijklmnopqrstuu6hXClE3y3ppxadbz1kXCSyMGvbkYXqq",
            "a hash by bcrypt that has a cost of 18, which must be 4 to 17",
        ),
        (
            "$2b$03$abcdefghijklmnopqrstuu6hXClE3y3ppxadbz1kXCSyMGvbkYXqq",
            "a hash by bcrypt that has a cost of 3, which must be 4 to 17",
        ),
        (
            "$pbkdf2$4294967295$AAEC$GeE.HB/IBiyfvW712x2eQyhlg3o",
            "a hash by PBKDF2 that has a number of iterations of 4294967295, which must be 1 to 20000000",
        ),
        (
            "$scrypt$ln=58,r=8,p=1$AAEC$dTB3s1YmG3YR",
            "a hash by scrypt that asks for more than 2 GiB of memory",
        ),
        (
            "$scrypt$ln=4,r=1,p=4000000000$AAEC$dTB3s1YmG3YR",
            "a hash by scrypt that asks for more than 2 GiB of memory",
        ),
        (
            "$scrypt$ln=20,r=8,p=100$AAEC$dTB3s1YmG3YR",
            "a hash by scrypt that asks for more than 16 GiB of memory times passes",
        ),
        (
            "$scrypt$ln=0,r=8,p=1$AAEC$dTB3s1YmG3YR",
            "a hash by scrypt that has impossible parameters",
        ),
        (
            "$6$rounds=999999999$salt$b6xFmmQs5s7ORbv11Uv3OtJVm8TFqShNK72r6h6RAMGv9d3b4kYQQmHilHUv6J9nX4B6BWb.M.8ySDYCjqwA01",
            "a hash by SHA-crypt that has a number of rounds of 999999999, which must be 1000 to 10000000",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Digest::parse(text).expect_err(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_digest_is_told_apart() {
    let cases = [
        ("password", "not a hash"),
        ("", "not a hash"),
        ("$1$ab$cd", "a md5crypt hash, which is not supported"),
        ("$7$x$y", "a hash of a kind that is not known"),
        ("$plaintext$secret", "a hash of a kind that is not known"),
        (
            "$argon2id$m=65536,t=3,p=4$a$b",
            "a hash by Argon2 without `v=19`, which is not supported",
        ),
        (
            "$argon2id$v=19$m=65536,t=3$a$b",
            "a hash by Argon2 whose parameters cannot be read",
        ),
        (
            "$argon2id$v=19$m=65536,t=3,p=4,p=4$a$b",
            "a hash by Argon2 whose parameters cannot be read",
        ),
        (
            "$argon2id$v=19$m=+8,t=3,p=1$a$b",
            "a hash by Argon2 whose parameters cannot be read",
        ),
        (
            "$argon2id$v=19$m=8,t=3,p=1$!$b",
            "a hash by Argon2 whose salt or key is not in its Base64",
        ),
        (
            "$argon2id$v=19$m=8,t=3,p=1$c29tZXNhbHQ$",
            "a hash by Argon2 that is cut off",
        ),
        (
            "$argon2id$v=19$m=8,t=3,p=1$c29tZXNhbHQ",
            "a hash by Argon2 that is not complete or has something behind it",
        ),
        (
            "$argon2id$v=19$m=8,t=3,p=1$c29t$MTIzNDU2Nzg5MDEy",
            "a hash by Argon2 with a salt of 3 bytes",
        ),
        (
            "$2b$12$abc",
            "a hash by bcrypt that is not complete or has something behind it",
        ),
        (
            "$2b$04$abcdefghijklmnopqrstuu6hXClE3y3ppxadbz1kXCSyMGvbkY",
            "a hash by bcrypt that is cut off",
        ),
        (
            "$bcrypt-sha256$2a,12$abc$def",
            "a hash by bcrypt whose parameters cannot be read",
        ),
        (
            "$pbkdf2-sha512$310000$AAECAw$AAECAwQF",
            "a hash by PBKDF2 that is cut off",
        ),
        (
            "$6$rounds=5000$saltsaltsaltsaltsalt$a",
            "a hash by SHA-crypt whose salt or key is not in its Base64",
        ),
        ("$6$salt$abc", "a hash by SHA-crypt that is cut off"),
        ("$y$j9T$abcd$abcd", "a hash by yescrypt that is cut off"),
        (
            "$y$/9T$abcd$abcd",
            "a hash by yescrypt with options that are not supported",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Digest::parse(text).expect_err(text), expected, "{text}");
    }
}

#[test]
fn a_digest_that_is_quick_to_guess_says_why() {
    let weakness = |text: &str| Digest::parse(text).expect(text).scheme().weakness();
    assert_eq!(weakness(VECTORS[0]).as_deref(), Some("0 MiB times passes"));
    assert_eq!(weakness(VECTORS[3]).as_deref(), Some("cost 4"));
    assert_eq!(weakness(VECTORS[11]).as_deref(), Some("5000 rounds"));
    assert_eq!(weakness(VECTORS[22]), None);
    assert_eq!(Recipe::DEFAULT.scheme.weakness(), None);
}

proptest! {
    #[test]
    fn no_text_makes_reading_fail_otherwise(text in "\\$[a-z0-9-]{0,14}\\$[ -~]{0,60}") {
        let _ = Digest::parse(&text);
    }

    #[test]
    fn no_change_of_a_digest_makes_reading_panic_or_costs_grow(
        which in 0..VECTORS.len(), at in 0_usize..200, character in "[ -~é]"
    ) {
        let mut text: Vec<char> = VECTORS.get(which).map_or("", |text| text).chars().collect();
        let place = at % text.len();
        text[place] = character.chars().next().unwrap_or('$');
        let text: String = text.into_iter().collect();
        if let Ok(digest) = Digest::parse(&text) {
            prop_assert!(digest.scheme().check().is_ok());
        }
    }
}
