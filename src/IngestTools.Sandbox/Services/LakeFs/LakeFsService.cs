using System.Text.Json;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The routes of lakeFS below /api/v1, as far as imports have to do with them.</summary>
internal sealed class LakeFsService : ISandboxService
{
    private readonly LakeFsAuthorization _authorization;
    private readonly LakeFsImportRoutes _imports;
    private readonly LakeFsRepositoryRoutes _repositories;
    private readonly LakeFsControl _control;

    public LakeFsService(LakeFsState state)
    {
        State = state;
        _authorization = new LakeFsAuthorization(state);
        _imports = new LakeFsImportRoutes(state, _authorization);
        _repositories = new LakeFsRepositoryRoutes(state, _authorization);
        _control = new LakeFsControl(state);
    }

    public LakeFsState State { get; }

    public string ControlName => "lakefs";

    public Task? TryAnswer(HttpContext context, RequestTarget target) =>
        target.Segments is ["api", "v1", .. var route] ? AnswerAsync(new LakeFsRequest(context, target), route) : null;

    public Task? TryControl(HttpContext context, RequestTarget target, string[] route) => _control.TryAnswer(context, route);

    public void Hold(RequestTarget target, TimeSpan time)
    {
        // lakeFS has no lock that a client could hold.
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task AnswerAsync(LakeFsRequest request, string[] route)
    {
        try
        {
            await RouteAsync(request, route);
        }
        catch (LakeFsRefusal e)
        {
            await request.AnswerAsync(e.Status, new { e.Message });
        }
        catch (LakeFsWalkException e)
        {
            await request.AnswerAsync(Status500InternalServerError, new { Message = $"error on ingest: {e.Message}" });
        }
        catch (JsonException e)
        {
            // The schema is looked at before anything else, also before an id is given.
            await request.AnswerAsync(
                Status400BadRequest,
                new { Message = $"request body has an error: doesn't match the schema: {e.Message}" }
            );
        }
    }

    private async Task RouteAsync(LakeFsRequest request, string[] route)
    {
        switch (request.Method, route)
        {
            case ("GET", ["healthcheck"]):
                await request.AnswerAsync(Status204NoContent);
                return;
            case ("POST", ["auth", "login"]):
                await LogInAsync(request, await request.ReadAsync<LoginBody>());
                return;
            case ("GET", ["config", var part]) when part is "version" or "storage":
                Admit(request);
                await request.AnswerAsync(Status200OK, part == "version" ? VersionConfig() : StorageConfig());
                return;
            case ("GET", ["user"]):
                Admit(request);
                await request.AnswerAsync(Status200OK, new { User = new { Id = State.Options.AccessKeyId, CreationDate = 0L } });
                return;
            default:
                if (!await _imports.TryAnswerAsync(request, route) && !await _repositories.TryAnswerAsync(request, route))
                    await NoSuchEndpoint(request);
                return;
        }
    }

    /// <summary>So the server answers what it does not know, also what it knew once.</summary>
    private Task NoSuchEndpoint(LakeFsRequest request)
    {
        Admit(request);
        throw new LakeFsRefusal(Status500InternalServerError, "invalid API endpoint");
    }

    private void Admit(LakeFsRequest request)
    {
        request.GiveId();
        _authorization.Admit(request.Context);
    }

    private Task LogInAsync(LakeFsRequest request, LoginBody body)
    {
        request.GiveId();
        if (!_authorization.IsKeyPair(body.AccessKeyId, body.SecretAccessKey))
            throw new LakeFsRefusal(Status401Unauthorized, "error authenticating request");
        (string token, DateTimeOffset ends) = State.Tokens.Issue();
        request.Context.Response.Headers.SetCookie = $"internal_auth_session={LakeFsTokens.Wrap(token)}; Path=/; HttpOnly";
        return request.AnswerAsync(
            Status200OK,
            new { Token = token, TokenExpiration = State.Options.TellsTokenExpiration ? ends.ToUnixTimeSeconds() : (long?)null }
        );
    }

    private object VersionConfig() =>
        new
        {
            State.Options.Version,
            LatestVersion = State.Options.Version,
            UpgradeRecommended = false,
        };

    private Dictionary<string, object> StorageConfig()
    {
        Dictionary<string, object> config = new()
        {
            ["blockstore_type"] = "s3",
            ["blockstore_namespace_example"] = "s3://example-bucket/",
            ["blockstore_namespace_ValidityRegex"] = "^s3://",
            ["pre_sign_support"] = true,
            ["pre_sign_support_ui"] = false,
            ["import_support"] = State.Options.SupportsImport,
        };
        if (new LakeFsVersion(State.Options.Version).HasImportRegex)
            config["import_validity_regex"] = "^s3://";
        return config;
    }
}
