// Entry point of the demo page: the sign-in form, then the application.

import { startApp } from "./app.ts";
import { signInForm } from "./sign-in.ts";

signInForm(startApp);
