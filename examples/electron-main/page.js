// The page: buttons ask the main process, and what it answers is shown as text.
const status = document.getElementById("status");

for (const name of ["login", "cancel", "whoami", "logout"]) {
  document.getElementById(name).addEventListener("click", async () => {
    const { result, error } = await window.example[name]();
    status.textContent = error ? `${error.message} ${error.hint}` : `${name}: ${JSON.stringify(result)}`;
  });
}

window.example.onLogin((step) => {
  if (step.type === "browser") status.textContent = "Go on in your browser.";
  if (step.type === "device") status.textContent = `Open ${step.link}, and check the code ${step.userCode}.`;
  if (step.message) status.textContent = step.message;
});
