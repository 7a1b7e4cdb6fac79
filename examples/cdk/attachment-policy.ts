import { CustomResource, Duration, Fn, type Size } from "aws-cdk-lib";
import { Construct } from "constructs";

/** Where attachments may be sent; `*` is all four. */
export type AttachmentScope = "CASE" | "CHAT" | "EMAIL" | "TASK" | "*";

export interface AttachmentPolicyProps {
  /** Ids or ARNs; `*` is every instance of the account and Region of the function. */
  readonly instanceIds: readonly string[];
  /** Of `*`, only the instances that have these tags, each with one of the values. */
  readonly instanceTags?: Readonly<Record<string, string | readonly string[]>>;
  readonly attachmentScopes: readonly AttachmentScope[];
  /** At most 100 MiB, for EMAIL 20 MiB. */
  readonly maximumSize: Size;
  /** As Amazon Connect has them: `pdf`, without a dot. */
  readonly allowedExtensions: readonly string[];
  /** What a target holds once it is declared no more: these values, or those from before. */
  readonly onDelete?: "Retain" | "Restore";
  /** From 3 minutes to an hour, which is the default. */
  readonly serviceTimeout?: Duration;
  /** Why, for the audit log. */
  readonly reason?: string;
  /** Who asks, for the audit log: a claim. */
  readonly requestedBy?: string;
  /** The stack that exports the function, in this account and Region. */
  readonly functionsStack?: string;
}

/** What may be attached to contacts of Amazon Connect: docs/declare.md says what becomes of it. */
export class AttachmentPolicy extends Construct {
  /** The id of the change that set the values last. */
  readonly changeId: string;
  /** How many targets it names, as text that is known once it is deployed. */
  readonly targets: string;

  constructor(scope: Construct, id: string, props: AttachmentPolicyProps) {
    super(scope, id);
    const { serviceTimeout = Duration.hours(1), functionsStack = "attachment-policy", maximumSize, ...values } = props;
    if (!serviceTimeout.isUnresolved() && serviceTimeout.toSeconds() < 180) {
      throw new Error(`serviceTimeout is at least 3 minutes, not ${serviceTimeout.toHumanString()}`);
    }
    const resource = new CustomResource(this, "Resource", {
      resourceType: "Custom::AttachmentPolicy",
      serviceToken: Fn.importValue(`${functionsStack}-DeclareFunctionArn`),
      serviceTimeout,
      pascalCaseProperties: true,
      properties: { ...values, maximumSizeLimitInBytes: maximumSize.toBytes() },
    });
    this.changeId = resource.getAttString("ChangeId");
    this.targets = resource.getAttString("Targets");
  }
}
