// Says that scripts run, before anything is drawn, so that components that need them show themselves.
document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
