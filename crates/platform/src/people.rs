//! People with an account, for rooms that ask them something while they are not signed in.
//!
//! Room `identity` keeps them; what a person may do is decided by the policies, over [`Person::caller`].

use async_trait::async_trait;
use ports::PortError;

use crate::http::Caller;

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who they are when they sign in: the account's id and name, its roles.
    pub caller: Caller,
    /// Where mail reaches them (RFC 5321), if they said so.
    pub mail: Option<String>,
}

/// Knows the accounts.
#[async_trait]
pub trait PeopleDirectory: Send + Sync + 'static {
    /// All of them, by name.
    ///
    /// # Errors
    /// They cannot be read.
    async fn people(&self) -> Result<Vec<Person>, PortError>;

    /// The account of this id, as it is now; `None` once it was removed.
    ///
    /// # Errors
    /// It cannot be read.
    async fn person(&self, id: &str) -> Result<Option<Person>, PortError>;
}

/// Accounts for tests; `platform::testing` has the rest.
#[derive(Debug, Default)]
pub struct FakePeople(pub std::sync::Mutex<Vec<Person>>);

impl FakePeople {
    fn all(&self) -> Vec<Person> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl PeopleDirectory for FakePeople {
    async fn people(&self) -> Result<Vec<Person>, PortError> {
        Ok(self.all())
    }
    async fn person(&self, id: &str) -> Result<Option<Person>, PortError> {
        Ok(self.all().into_iter().find(|it| it.caller.id == id))
    }
}
