/**
 * What the command is to do: one member per row of the table of flags.
 *
 * @module
 */

import type { AdapterSettings } from "./flags/adapters.ts";
import type { AuthenticateSettings } from "./flags/authenticate.ts";
import type { DeliverSettings } from "./flags/deliver.ts";
import type { EncryptSettings } from "./flags/encrypt.ts";
import type { ListenSettings } from "./flags/listen.ts";
import type { OAuthSettings } from "./flags/oauth.ts";
import type { ShareSettings } from "./flags/share.ts";
import type { TellSettings } from "./flags/tell.ts";

/**
 * What the command is to do. A flag's name and its variable's follow from the
 * member's: `maxSize` is `--max-size` and `MEOWMAIL_SMTP_MAX_SIZE`.
 */
export interface Settings
  extends
    ListenSettings,
    EncryptSettings,
    AuthenticateSettings,
    OAuthSettings,
    AdapterSettings,
    DeliverSettings,
    ShareSettings,
    TellSettings {}
